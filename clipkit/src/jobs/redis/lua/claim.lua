-- ARGV: worker, lease in ms, then for each queue: name, most running, most of a lane, most starts
-- and their period in ms; -1 means no limit. Answers with id, fence and attempt.
local worker, lease = ARGV[1], tonumber(ARGV[2])

local function is_free(pre, lane, exclusive, per_lane)
  if per_lane >= 0 and lane ~= '' and tonumber(call('HGET', pre .. 'ck:lanes', lane) or 0) >= per_lane then return false end
  if exclusive == '' then return true end
  local holder = call('HGET', P .. ':ck:excl', exclusive)
  return not holder or call('HGET', keys_of(queue_of(holder)) .. holder, 'st') ~= 'a'
end

-- The task that runs next, taken from where it waits.
local function choose(pre, per_lane)
  for _, priority in ipairs(call('ZRANGE', pre .. 'ck:p', 0, -1)) do
    for _, user in ipairs(call('ZRANGE', pre .. 'ck:u:' .. priority, 0, 99)) do
      local tasks, at = pre .. 'ck:w:' .. priority .. ':' .. user, 0
      while at < 1000 do
        local id = call('ZRANGE', tasks, at, at)[1]
        if not id then break end
        local kept = call('HMGET', pre .. id, 'l', 'x', 'f', 'a', 's')
        if not kept[1] then
          unindex(pre, id, priority, user)
        elseif not is_free(pre, kept[1], kept[2], per_lane) then
          at = at + 1
        else
          unindex(pre, id, priority, user)
          -- A worker of another language may have it.
          if call('ZREM', pre .. 'prioritized', id) == 1 then return id, user, kept end
        end
      end
    end
  end
end

local function take(pre, id, user, kept, counts_starts)
  local fence = text(math.max(micros, kept[3] + 1))
  local attempt, starts = kept[4] + 1, kept[5] + 1
  call('HSET', pre .. id, 'st', 'a', 'f', fence, 'a', attempt, 's', starts, 'ats', starts, 'pb', worker,
    'processedOn', text(now), 'sd', text(now), 'en', '')
  call('LPUSH', pre .. 'active', id)
  call('SET', pre .. id .. ':lock', 'clipkit:' .. fence, 'PX', text(lease))
  call('ZADD', pre .. 'ck:lease', now + lease, id)
  call('HINCRBY', pre .. 'ck:run', user, 1)
  call('HSET', pre .. 'ck:turn', user, call('INCR', pre .. 'ck:turns'))
  if kept[1] ~= '' then call('HINCRBY', pre .. 'ck:lanes', kept[1], 1) end
  if kept[2] ~= '' then call('HSET', P .. ':ck:excl', kept[2], id) end
  if counts_starts then call('RPUSH', pre .. 'ck:starts', text(now)) end
  rerank(pre, user)
  event(pre, 'active', id, 'prev', 'waiting')
  return { id, fence, attempt }
end

local function is_open(pre, running, starts, period)
  if call('HEXISTS', pre .. 'meta', 'paused') == 1 then return false end
  if running >= 0 and call('LLEN', pre .. 'active') >= running then return false end
  if starts < 0 then return true end
  local first = call('LINDEX', pre .. 'ck:starts', 0)
  while first and tonumber(first) <= now - period do
    call('LPOP', pre .. 'ck:starts')
    first = call('LINDEX', pre .. 'ck:starts', 0)
  end
  return call('LLEN', pre .. 'ck:starts') < starts
end

for n = 3, #ARGV, 5 do
  local queue, per_lane, starts = ARGV[n], tonumber(ARGV[n + 2]), tonumber(ARGV[n + 3])
  local pre = keys_of(queue)
  tidy(pre, queue)
  if is_open(pre, tonumber(ARGV[n + 1]), starts, tonumber(ARGV[n + 4])) then
    local id, user, kept = choose(pre, per_lane)
    if not id and call('EXISTS', pre .. 'ck:p') == 0 and call('ZCARD', pre .. 'prioritized') > 0 then
      -- BullMQ's workers promote delayed tasks, and its producers add with a priority.
      for _, other in ipairs(call('ZRANGE', pre .. 'prioritized', 0, 999)) do
        call('ZREM', pre .. 'prioritized', other)
        adopt(pre, queue, other)
      end
      id, user, kept = choose(pre, per_lane)
    end
    if id then return take(pre, id, user, kept, starts >= 0) end
  end
end
return false
