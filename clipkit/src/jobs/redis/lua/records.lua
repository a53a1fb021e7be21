-- The records of jobs. ARGV[1] says what is done, ARGV[2] is the job. Keys beside the queues':
--   ck:record:JOB  user, created, job, end, and n, the number of the last event
--   ck:events:JOB  a stream whose ids are the events' numbers
--   ck:records, ck:open, ck:ended  the jobs in order of submission
--   ck:openby      the number of open jobs by user
local doing, id = ARGV[1], ARGV[2]
local key = P .. ':ck:record:' .. id
local stream = P .. ':ck:events:' .. id

local function opened(user, place)
  call('ZREM', P .. ':ck:ended', id)
  call('ZADD', P .. ':ck:open', place, id)
  call('HINCRBY', P .. ':ck:openby', user, 1)
end

local function closed(user)
  call('ZREM', P .. ':ck:open', id)
  if call('HINCRBY', P .. ':ck:openby', user, -1) <= 0 then call('HDEL', P .. ':ck:openby', user) end
end

if doing == 'create' then
  -- user, created, job, end or nothing
  if call('EXISTS', key) == 1 then return 0 end
  call('HSET', key, 'user', ARGV[3], 'created', ARGV[4], 'job', ARGV[5], 'n', 0)
  local place = call('INCR', P .. ':ck:rseq')
  call('ZADD', P .. ':ck:records', place, id)
  if ARGV[6] == '' then
    opened(ARGV[3], place)
  else
    call('HSET', key, 'end', ARGV[6])
    call('ZADD', P .. ':ck:ended', place, id)
  end
  return 1
end

local kept = call('HMGET', key, 'user', 'end')
if not kept[1] then return 0 end
local place = call('ZSCORE', P .. ':ck:records', id) or 0
if doing == 'end' then
  -- end, or nothing where the job goes on
  if ARGV[3] == '' then
    if kept[2] then
      call('HDEL', key, 'end')
      opened(kept[1], place)
    end
    return 1
  end
  if kept[2] then return 0 end
  call('HSET', key, 'end', ARGV[3])
  closed(kept[1])
  call('ZADD', P .. ':ck:ended', place, id)
  return 1
end
if doing == 'remove' then
  if not kept[2] then closed(kept[1]) end
  call('ZREM', P .. ':ck:records', id)
  call('ZREM', P .. ':ck:ended', id)
  call('DEL', key, stream)
  return 1
end
-- append: the events
for n = 3, #ARGV do
  local number = call('HINCRBY', key, 'n', 1)
  call('XADD', stream, number .. '-0', 'at', text(now), 'event', ARGV[n])
end
return 1
