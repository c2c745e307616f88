-- Places among the calls that a provider takes at a time, and the queue for them.
--
-- A free place goes to the workspace that holds the fewest, of equals to the one that got one longest ago; in a
-- workspace to what somebody waits for before what a run wants, then in order of arrival. A place, and a place in the
-- queue, has a lease: whoever dies holds neither for longer.
--
-- KEYS: held (token -> end of lease), waiting (token -> end of lease), turns (workspace that waits -> its turn),
-- owners (token -> workspace), counts (workspace -> places held), serial. A workspace's own queue is the key `turns`
-- with its id behind; the key `held` with a token behind wakes whoever waits with that.
-- ARGV: what to do; token; workspace; 0 interactive or 1 bulk; places there are; milliseconds of a held place's lease,
-- and of a waiting one's.
-- Replies whether the token holds a place.

local held, waiting, turns, owners, counts, serial = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local action, token, workspace, class = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local places, lease, patience = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local STEP = 1e10 -- more than any serial number

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function wake_of(id) return held .. ':' .. id end
local function line_of(owner) return turns .. ':' .. owner end
local function held_by(owner) return tonumber(redis.call('HGET', counts, owner) or 0) end

local function hold(id, owner, milliseconds)
  if redis.call('ZADD', held, now + milliseconds, id) == 1 then redis.call('HINCRBY', counts, owner, 1) end
end

local function let_go(id)
  local owner = redis.call('HGET', owners, id)
  if not owner then return end
  redis.call('HDEL', owners, id)
  if redis.call('ZREM', held, id) == 1 then
    if redis.call('HINCRBY', counts, owner, -1) <= 0 then redis.call('HDEL', counts, owner) end
    if redis.call('ZSCORE', turns, owner) then redis.call('ZINCRBY', turns, -STEP, owner) end
  end
  redis.call('ZREM', waiting, id)
  redis.call('ZREM', line_of(owner), id)
  if redis.call('EXISTS', line_of(owner)) == 0 then redis.call('ZREM', turns, owner) end
end

local function let_go_of_the_dead()
  for _, key in ipairs({held, waiting}) do
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', now)) do let_go(id) end
  end
end

local function join()
  local number = redis.call('INCR', serial)
  redis.call('HSET', owners, token, workspace)
  redis.call('ZADD', line_of(workspace), class * STEP + number, token)
  redis.call('ZADD', turns, 'NX', held_by(workspace) * STEP + number, workspace)
end

local function hand_out()
  while redis.call('ZCARD', held) < places do
    local owner = redis.call('ZRANGE', turns, 0, 0)[1]
    if not owner then return end
    local id = redis.call('ZPOPMIN', line_of(owner))[1]
    if id then
      redis.call('ZREM', waiting, id)
      hold(id, owner, patience) -- until it comes for it
      if id ~= token then
        redis.call('RPUSH', wake_of(id), 1)
        redis.call('PEXPIRE', wake_of(id), patience)
      end
    end
    if redis.call('EXISTS', line_of(owner)) == 1 then
      redis.call('ZADD', turns, held_by(owner) * STEP + redis.call('INCR', serial), owner)
    else
      redis.call('ZREM', turns, owner)
    end
  end
end

let_go_of_the_dead()
if action == 'leave' then
  let_go(token)
elseif action == 'keep' then
  redis.call('HSET', owners, token, workspace)
  hold(token, workspace, lease)
elseif redis.call('HEXISTS', owners, token) == 0 then
  join()
end
if action == 'ask' and not redis.call('ZSCORE', held, token) then
  redis.call('ZADD', waiting, now + patience, token)
end
hand_out()
local is_held = redis.call('ZSCORE', held, token) and 1 or 0
if is_held == 1 then redis.call('ZADD', held, now + lease, token) end
return is_held
