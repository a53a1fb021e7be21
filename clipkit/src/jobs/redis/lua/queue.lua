-- What all scripts share. KEYS[1] is the prefix of all keys. Beside BullMQ's own keys, a queue has:
--   ck:p             the priorities with waiting tasks
--   ck:u:PRIORITY    their users, the one whose turn it is first
--   ck:w:PRIORITY:USER  the user's waiting tasks, the oldest first
--   ck:lease         running tasks, by the end of their lease
--   ck:run, ck:lanes the number of running tasks by user and lane
--   ck:turn          when each user was served last
--   ck:starts        the times of the last starts, where there is a rate
-- Fields of a job's hash beside BullMQ's: u user, l lane, x exclusive, m most attempts, a attempts,
-- s starts, f fence, c cancelled, st state, sq order, du due, sd started, en ended, er error.
-- States: w waiting, d delayed, a active, o done, x dead, c cancelled.
local P = KEYS[1]
local call = redis.call
local clock = call('TIME')
local micros = clock[1] * 1000000 + clock[2]
local now = math.floor(micros / 1000)
local MOST_STARTS = 1000
-- BullMQ runs low priorities first, and those without one before all.
local MIDDLE, LOWEST = 1048576, 2097151
local PRIORITY, ORDER, EVENTS = 4294967296, 4294967296, 10000

local function text(number) return string.format('%.0f', number) end
local function queue_of(id) return string.match(id, '^[%w_-]+%.(%a+)') end
local function job_of(id) return string.match(id, '^([%w_-]+)%.') end
local function keys_of(queue) return P .. ':' .. queue .. ':' end

local function event(pre, name, id, ...)
  call('XADD', pre .. 'events', 'MAXLEN', '~', EVENTS, '*', 'event', name, 'jobId', id, ...)
end

local function rank(pre, user)
  local running = tonumber(call('HGET', pre .. 'ck:run', user) or 0)
  return running * 1099511627776 + tonumber(call('HGET', pre .. 'ck:turn', user) or 0)
end

local function rerank(pre, user)
  local priorities = call('ZRANGE', pre .. 'ck:p', 0, -1)
  if #priorities == 0 then return end
  local at = rank(pre, user)
  for _, priority in ipairs(priorities) do
    call('ZADD', pre .. 'ck:u:' .. priority, 'XX', at, user)
  end
end

local function unindex(pre, id, priority, user)
  local tasks = pre .. 'ck:w:' .. priority .. ':' .. user
  if call('ZREM', tasks, id) == 0 or call('EXISTS', tasks) == 1 then return end
  local users = pre .. 'ck:u:' .. priority
  call('ZREM', users, user)
  if call('EXISTS', users) == 0 then call('ZREM', pre .. 'ck:p', priority) end
end

-- Puts a task where it waits, for our workers and for BullMQ's.
local function enqueue(pre, id, priority, user, order, from)
  call('ZADD', pre .. 'prioritized', priority * PRIORITY + order % ORDER, id)
  local users = pre .. 'ck:u:' .. priority
  if call('ZADD', pre .. 'ck:w:' .. priority .. ':' .. user, order, id) == 1
    and not call('ZSCORE', users, user) then
    call('ZADD', users, rank(pre, user), user)
    call('ZADD', pre .. 'ck:p', priority, priority)
  end
  if call('HEXISTS', pre .. 'meta', 'paused') == 0 then call('ZADD', pre .. 'marker', 0, '0') end
  if from then event(pre, 'waiting', id, 'prev', from) else event(pre, 'waiting', id) end
end

local function delay(pre, id, due)
  call('ZADD', pre .. 'delayed', due * 4096, id)
  if call('HEXISTS', pre .. 'meta', 'paused') == 0 then call('ZADD', pre .. 'marker', 'LT', due, '1') end
  event(pre, 'delayed', id, 'delay', text(due))
end

-- The end of a task that is in no set any more.
local function finish(pre, id, state, report, message, previous)
  local key = pre .. id
  if state == 'o' then
    call('HSET', key, 'st', 'o', 'en', text(now), 'er', report, 'finishedOn', text(now), 'returnvalue', 'null')
    call('ZADD', pre .. 'completed', now, id)
    event(pre, 'completed', id, 'returnvalue', 'null', 'prev', previous)
  else
    call('HSET', key, 'st', state, 'en', text(now), 'finishedOn', text(now), 'failedReason', message)
    if report ~= '' then call('HSET', key, 'er', report) end
    call('ZADD', pre .. 'failed', now, id)
    event(pre, 'failed', id, 'failedReason', message, 'prev', previous)
  end
end

-- Takes a task from its worker.
local function release(pre, id, user, lane, exclusive)
  call('ZREM', pre .. 'ck:lease', id)
  call('LREM', pre .. 'active', -1, id)
  call('DEL', pre .. id .. ':lock')
  call('SREM', pre .. 'stalled', id)
  if call('HINCRBY', pre .. 'ck:run', user, -1) <= 0 then call('HDEL', pre .. 'ck:run', user) end
  if lane ~= '' and call('HINCRBY', pre .. 'ck:lanes', lane, -1) <= 0 then call('HDEL', pre .. 'ck:lanes', lane) end
  if exclusive ~= '' and call('HGET', P .. ':ck:excl', exclusive) == id then call('HDEL', P .. ':ck:excl', exclusive) end
  rerank(pre, user)
end

-- Counts the running tasks anew, after somebody removed one.
local function recount(pre)
  call('DEL', pre .. 'ck:run', pre .. 'ck:lanes')
  for _, id in ipairs(call('ZRANGE', pre .. 'ck:lease', 0, -1)) do
    local kept = call('HMGET', pre .. id, 'u', 'l')
    if kept[1] then
      call('HINCRBY', pre .. 'ck:run', kept[1], 1)
      if kept[2] ~= '' then call('HINCRBY', pre .. 'ck:lanes', kept[2], 1) end
    end
  end
end

local LOST = 'the worker ended or stopped during each attempt of this task'

-- The lease of a task ran out: it waits again, or it is dead, or its job was cancelled.
local function lapse(pre, id)
  local kept = call('HMGET', pre .. id, 'st', 'f', 'a', 'm', 's', 'u', 'l', 'x', 'c', 'priority', 'sq')
  if kept[1] ~= 'a' then
    call('ZREM', pre .. 'ck:lease', id)
    return recount(pre)
  end
  release(pre, id, kept[6], kept[7], kept[8])
  call('LREM', pre .. 'wait', 0, id)
  call('HSET', pre .. id, 'f', text(kept[2] + 1), 'en', text(now))
  if kept[9] == '1' then
    finish(pre, id, 'c', '', 'cancelled', 'active')
  elseif tonumber(kept[3]) >= tonumber(kept[4]) or tonumber(kept[5]) >= MOST_STARTS then
    finish(pre, id, 'x', '{"kind":"timed_out","message":"' .. LOST .. '"}', LOST, 'active')
  else
    call('HSET', pre .. id, 'st', 'w')
    enqueue(pre, id, kept[10], kept[6], tonumber(kept[11]), 'active')
  end
end

local function order() return call('INCR', P .. ':ck:seq') end

-- Takes in a task that a producer of another language added, or that BullMQ put back.
local function adopt(pre, queue, id)
  local key = pre .. id
  local kept = call('HMGET', key, 'st', 'data', 'priority', 'sq', 'u')
  if not kept[2] then return end
  local state = kept[1]
  if state == 'a' then return lapse(pre, id) end
  local priority, user, place = tonumber(kept[3] or 0), kept[5], tonumber(kept[4] or 0)
  if not state then
    local ok, data = pcall(cjson.decode, kept[2])
    if not ok or type(data) ~= 'string' or string.gsub(data, ':', '.') ~= id or queue_of(id) ~= queue then
      local why = 'not a task of clipkit: give the task\'s id as data, and with dots for its colons as jobId'
      call('HSET', key, 'finishedOn', text(now), 'failedReason', why)
      call('ZADD', pre .. 'failed', now, id)
      return event(pre, 'failed', id, 'failedReason', why, 'prev', 'waiting')
    end
    user = call('HGET', P .. ':ck:record:' .. job_of(id), 'user') or ''
    place = order()
    call('HSET', key, 'u', user, 'l', '', 'x', '', 'm', 3, 'f', text(micros), 'sq', text(place), 'du', text(now))
    call('ZADD', P .. ':ck:tasks', place, id)
    call('ZADD', P .. ':ck:job:' .. job_of(id), place, id)
  end
  if state ~= 'w' and state ~= 'd' then call('HSET', key, 'a', 0, 's', 0, 'c', 0) end
  if priority == 0 then priority = MIDDLE end
  call('HSET', key, 'st', 'w', 'priority', priority)
  enqueue(pre, id, text(priority), user, place)
end

-- Looks after what happened without us: times that came, leases that ran out, tasks of others.
local function tidy(pre, queue)
  local due = call('ZRANGEBYSCORE', pre .. 'delayed', 0, (now + 1) * 4096 - 1, 'LIMIT', 0, 100)
  for _, id in ipairs(due) do
    call('ZREM', pre .. 'delayed', id)
    local kept = call('HMGET', pre .. id, 'st', 'priority', 'u', 'sq')
    if kept[1] == 'd' then
      call('HSET', pre .. id, 'st', 'w', 'delay', 0)
      enqueue(pre, id, kept[2], kept[3], tonumber(kept[4]), 'delayed')
    else
      adopt(pre, queue, id)
    end
  end
  for _, id in ipairs(call('ZRANGEBYSCORE', pre .. 'ck:lease', '-inf', '(' .. text(now), 'LIMIT', 0, 100)) do
    lapse(pre, id)
  end
  if call('LLEN', pre .. 'wait') > 0 then
    local added = call('LRANGE', pre .. 'wait', -100, -1)
    for n = #added, 1, -1 do
      call('LREM', pre .. 'wait', -1, added[n])
      adopt(pre, queue, added[n])
    end
  end
end

-- Adds a task. 0 means that it is known.
local function add(task)
  local id = task.id
  local queue = queue_of(id)
  local pre = keys_of(queue)
  local key = pre .. id
  if call('EXISTS', key) == 1 then return 0 end
  local place = order()
  local priority = text(math.max(1, math.min(LOWEST, MIDDLE - task.priority)))
  local due = math.max(task.due, now)
  local later = due > now
  local wait = text(later and due - now or 0)
  call('HSET', key, 'name', queue, 'data', cjson.encode(task.task), 'timestamp', text(now), 'delay', wait, 'priority', priority,
    'opts', '{"attempts":1,"jobId":"' .. id .. '","delay":' .. wait .. ',"priority":' .. priority .. '}',
    'u', task.user, 'l', task.lane, 'x', task.exclusive, 'm', text(task.attempts), 'a', 0, 's', 0, 'c', 0,
    'f', text(micros), 'sq', text(place), 'du', text(due), 'st', later and 'd' or 'w')
  call('ZADD', P .. ':ck:tasks', place, id)
  call('ZADD', P .. ':ck:job:' .. job_of(id), place, id)
  event(pre, 'added', id, 'name', queue)
  if later then delay(pre, id, due) else enqueue(pre, id, priority, task.user, place) end
  return 1
end

-- Whoever asks must hold the task: answers with its lane, user and so on, or nothing.
local function held(pre, id, fence)
  local kept = call('HMGET', pre .. id, 'st', 'f', 'u', 'l', 'x', 'c', 'a')
  if kept[1] == 'a' and kept[2] == fence then return kept end
end
