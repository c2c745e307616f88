-- Puts an entry, unless a change since it was read has made it wrong or there is one that ends later.
--
-- KEYS: entry, its floor (accounts/lua/retire.lua). ARGV: the entry, which begins with the moment it ends; the most
-- milliseconds to keep it.

local function ends_of(value) return tonumber(string.sub(value, 1, 13)) end

local ends = ends_of(ARGV[1])
local floor = redis.call('GET', KEYS[2])
if floor and ends <= tonumber(floor) then return 0 end
local present = ends_of(redis.call('GETRANGE', KEYS[1], 0, 12))
if present and present > ends then return 0 end
local clock = redis.call('TIME')
local left = ends - (clock[1] * 1000 + math.floor(clock[2] / 1000))
if left <= 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', string.format('%.0f', math.min(left, tonumber(ARGV[2]))))
return 1
