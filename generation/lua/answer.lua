-- A whole request for a text that is known, in one step: who asks, how often they may, the text, the line for the ledger.
-- Follows accounts/lua/take.lua.
--
-- KEYS: three stamps, the workspace's entry, the public pool's (or the same again), the stream of free answers, and what
-- take() counts in.
-- ARGV: the three stamps as they are remembered; what take() is asked ('' without limits); the most milliseconds to keep
-- an entry; the most lines the stream may hold; the line; what was asked.
-- Replies what came of it, then what take() returned, then the entry and whether the line was noted.

local stamps = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3])
for i = 1, 3 do
  if stamps[i] ~= ARGV[i] then return {'stale'} end
end

local taken = {}
if ARGV[4] ~= '' then
  local counted = {}
  for i = 7, #KEYS do counted[i - 6] = KEYS[i] end
  taken = take(cjson.decode(ARGV[4]), counted)
  if taken[1] == 0 then return {'refused', taken} end
end

local key = KEYS[4]
local entry = redis.call('GET', key)
if not entry and KEYS[5] ~= key then
  key = KEYS[5]
  entry = redis.call('GET', key)
end
local ends = entry and tonumber(string.sub(entry, 1, 13))
if not ends then return {'missing', taken} end

-- An entry that is asked for does not expire before its row in PostgreSQL does.
local left, most = redis.call('PTTL', key), tonumber(ARGV[5])
if left < most / 4 then
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local until_then = math.min(ends, now + most)
  if until_then > now + left then redis.call('PEXPIREAT', key, string.format('%.0f', until_then)) end
end

local noted = 0
if redis.call('XLEN', KEYS[6]) < tonumber(ARGV[6]) then
  local head = string.sub(entry, 18, 17 + tonumber(string.sub(entry, 14, 17)))
  redis.call('XADD', KEYS[6], '*', 'line', ARGV[7], 'answer', head, 'asked', ARGV[8], 'entry', entry)
  noted = 1
end
return {'found', taken, entry, noted}
