-- Whether a model may be asked. Replies 0, or the milliseconds to leave it alone. Of those who ask after that time one
-- is let through to find out how it does.
--
-- KEYS: the circuit, what is down; as in report.lua. ARGV: the model; milliseconds that the one has to find out.

local circuit, down, model = KEYS[1], KEYS[2], ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ends = tonumber(redis.call('HGET', down, model) or 0)
if now < ends then return ends - now end
if redis.call('HEXISTS', circuit, 'wait') == 0 then -- it was only asked too often
  redis.call('HDEL', down, model)
  return 0
end
local probe = tonumber(redis.call('HGET', circuit, 'probe') or 0)
if now < probe then return math.min(probe - now, 1000) end
redis.call('HSET', circuit, 'probe', string.format('%.0f', now + tonumber(ARGV[2])))
return 0
