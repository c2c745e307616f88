-- Tells what came of a call to a model, and opens or closes its circuit. Replies 'opened', 'closed' or ''.
--
-- KEYS: the circuit (wait: how long it is open, probe: until when somebody finds out), the latest outcomes, what is down
-- (model -> until when).
-- ARGV: the model; ok, failed, limited or misconfigured; milliseconds to leave a limited model alone; how many failures
-- of how many outcomes within how many milliseconds open the circuit; how long it is open at first, and at most.

local circuit, recent, down = KEYS[1], KEYS[2], KEYS[3]
local model, outcome, rest = ARGV[1], ARGV[2], tonumber(ARGV[3])
local failures_to_open, most_recent, window = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local first_wait, longest_wait = tonumber(ARGV[7]), tonumber(ARGV[8])

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local wait = tonumber(redis.call('HGET', circuit, 'wait') or 0)
local ends = tonumber(redis.call('HGET', down, model) or 0)

local function open(milliseconds)
  redis.call('DEL', circuit, recent)
  redis.call('HSET', circuit, 'wait', milliseconds)
  redis.call('PEXPIRE', circuit, longest_wait * 60)
  redis.call('HSET', down, model, string.format('%.0f', now + milliseconds))
  return 'opened'
end

local function note(mark)
  redis.call('LPUSH', recent, string.format('%.0f', now) .. mark)
  redis.call('LTRIM', recent, 0, most_recent - 1)
  redis.call('PEXPIRE', recent, window)
end

if outcome == 'ok' then
  if wait > 0 then
    redis.call('DEL', circuit, recent)
    redis.call('HDEL', down, model)
    return 'closed'
  end
  note('+')
  return ''
end

if outcome == 'misconfigured' then return open(longest_wait) end

if outcome == 'limited' then
  redis.call('HDEL', circuit, 'probe')
  if now + rest > ends then redis.call('HSET', down, model, string.format('%.0f', now + rest)) end
  return ''
end

if wait > 0 then -- it failed again; what was sent before it was opened says nothing new
  return now >= ends and open(math.min(wait * 2, longest_wait)) or ''
end
note('-')
local failed, counted = 0, 0
for _, entry in ipairs(redis.call('LRANGE', recent, 0, -1)) do
  if tonumber(string.sub(entry, 1, -2)) > now - window then
    counted = counted + 1
    if string.sub(entry, -1) == '-' then failed = failed + 1 end
  end
end
return failed >= failures_to_open and failed * 2 >= counted and open(first_wait) or ''
