-- take(asked, keys) counts one request for all of its subjects, or for none of them when one has no room.
--
-- keys: of each subject, the log of its last minute, the buckets of its last hour, and those of its last day.
-- asked: {log: window, hour: {width, count}, day: {width, count}, subjects: [{burst, daily, steps, counted}]}
-- with times in microseconds. A subject that is not counted is only looked at.
-- Returns admitted, now, and of each subject: the burst now in force, how much of it is used, how long until one of it
-- is free again, how much of the day is used, how long until one of it is free again, the requests of the last hour.

local function take(asked, keys)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000000 + clock[2]

  -- What has left the window is dropped, and so is what comes from the future: a clock that jumped back left it there.
  local function used_of_log(key)
    local oldest = redis.call('LINDEX', key, 0)
    while oldest and tonumber(oldest) <= now - asked.log do
      redis.call('LPOP', key)
      oldest = redis.call('LINDEX', key, 0)
    end
    local newest = redis.call('LINDEX', key, -1)
    while newest and tonumber(newest) > now do
      redis.call('RPOP', key)
      newest = redis.call('LINDEX', key, -1)
    end
    return redis.call('LLEN', key)
  end

  -- A bucket that is only partly inside counts whole, so no window of that length ever holds more than the limit.
  -- Beside the buckets lie their sum and which are the first and the last, so that all are read only once in a while:
  -- when one has left the window, or comes from the future.
  local function read_all_buckets(key, buckets)
    buckets.counts, buckets.used, buckets.first, buckets.last = {}, 0, nil, nil
    local fields = redis.call('HGETALL', key)
    for i = 1, #fields, 2 do
      local bucket, count = tonumber(fields[i]), tonumber(fields[i + 1])
      if bucket and (bucket < buckets.oldest or bucket > buckets.newest) then
        redis.call('HDEL', key, fields[i])
      elseif bucket then
        buckets.counts[bucket] = count
        buckets.used = buckets.used + count
        buckets.first = math.min(bucket, buckets.first or bucket)
        buckets.last = math.max(bucket, buckets.last or bucket)
      end
    end
    if buckets.first then
      redis.call('HSET', key, 'used', buckets.used, 'first', buckets.first, 'last', buckets.last)
    else
      redis.call('DEL', key)
    end
    return buckets
  end

  local function read_buckets(key, size)
    local newest = math.floor(now / size.width)
    local buckets = {oldest = newest - size.count, newest = newest, size = size, used = 0}
    local sums = redis.call('HMGET', key, 'used', 'first', 'last')
    buckets.used, buckets.first, buckets.last = tonumber(sums[1]), tonumber(sums[2]), tonumber(sums[3])
    local is_whole = buckets.first and buckets.first >= buckets.oldest and buckets.last <= newest
    return is_whole and buckets or read_all_buckets(key, buckets)
  end

  local function count_in_bucket(key, buckets)
    redis.call('HINCRBY', key, buckets.newest, 1)
    buckets.used = redis.call('HINCRBY', key, 'used', 1)
    if buckets.last ~= buckets.newest then
      buckets.first, buckets.last = buckets.first or buckets.newest, buckets.newest
      redis.call('HSET', key, 'first', buckets.first, 'last', buckets.last)
      redis.call('PEXPIRE', key, math.ceil(buckets.size.width * (buckets.size.count + 1) / 1000))
    end
  end

  local function burst_in_force(subject)
    local burst = subject.burst
    for _, step in ipairs(subject.steps) do
      if subject.hour.used >= step[1] then
        burst = math.min(subject.burst, math.max(1, math.floor(subject.burst * step[2] / 100)))
      end
    end
    return burst
  end

  local function wait_of_log(key, used, limit)
    local next_free = redis.call('LINDEX', key, math.max(used - limit, 0))
    return next_free and tonumber(next_free) + asked.log - now or 0
  end

  local function wait_of_buckets(key, buckets, limit)
    if not buckets.first then return 0 end
    local too_many = math.max(buckets.used - limit, 0) + 1
    local bucket = buckets.first
    if too_many > 1 then -- the first alone may not make enough room
      local counts = read_all_buckets(key, buckets).counts
      while bucket <= buckets.newest do
        too_many = too_many - (counts[bucket] or 0)
        if too_many <= 0 then break end
        bucket = bucket + 1
      end
    end
    return (bucket + buckets.size.count + 1) * buckets.size.width - now
  end

  local admitted = 1
  for i, subject in ipairs(asked.subjects) do
    subject.log_key, subject.hour_key, subject.day_key = keys[3 * i - 2], keys[3 * i - 1], keys[3 * i]
    subject.hour = #subject.steps > 0 and read_buckets(subject.hour_key, asked.hour) or {used = 0}
    if subject.burst then
      subject.used = used_of_log(subject.log_key)
      if subject.counted and subject.used >= burst_in_force(subject) then admitted = 0 end
    end
    if subject.daily then
      subject.day = read_buckets(subject.day_key, asked.day)
      if subject.counted and subject.day.used >= subject.daily then admitted = 0 end
    end
  end

  local reply = {admitted, now}
  for _, subject in ipairs(asked.subjects) do
    if admitted == 1 and subject.counted then
      if subject.burst then
        subject.used = redis.call('RPUSH', subject.log_key, string.format('%.0f', now))
        redis.call('PEXPIRE', subject.log_key, math.ceil(asked.log / 1000))
      end
      if #subject.steps > 0 then count_in_bucket(subject.hour_key, subject.hour) end
      if subject.daily then count_in_bucket(subject.day_key, subject.day) end
    end
    local parts = {0, 0, 0, 0, 0, subject.hour.used}
    if subject.burst then
      parts[1], parts[2] = burst_in_force(subject), subject.used
      parts[3] = wait_of_log(subject.log_key, parts[2], parts[1])
    end
    if subject.daily then
      parts[4], parts[5] = subject.day.used, wait_of_buckets(subject.day_key, subject.day, subject.daily)
    end
    for _, part in ipairs(parts) do reply[#reply + 1] = part end
  end
  return reply
end
