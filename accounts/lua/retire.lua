-- Takes a value away, and for a while refuses to have the same one put back by whoever read it before the change.
--
-- KEYS: the value, its floor. ARGV: the floor, or '' where any value is wrong; milliseconds for which it holds.
-- A value with a floor begins with the moment it ends, 13 digits of Unix milliseconds.

if ARGV[1] == '' then return redis.call('DEL', KEYS[1]) end

local floor = tonumber(ARGV[1])
local present = redis.call('GET', KEYS[2])
if not present or tonumber(present) < floor then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
local ends = tonumber(redis.call('GETRANGE', KEYS[1], 0, 12))
if not ends or ends <= floor then return redis.call('DEL', KEYS[1]) end
return 0
