-- ARGV: ids of tasks. Answers for each that is there: id, state, user, attempts, starts, due,
-- started, ended, error, and the reason that BullMQ knows. What others did to a task is noted.
local tasks = {}
for _, id in ipairs(ARGV) do
  local queue = queue_of(id)
  local pre = keys_of(queue)
  local key = pre .. id
  local kept = call('HMGET', key, 'st', 'u', 'a', 's', 'du', 'sd', 'en', 'er', 'finishedOn', 'failedReason', 'priority', 'processedOn')
  local state = kept[1]
  if not state then
    call('ZREM', P .. ':ck:tasks', id)
    call('ZREM', P .. ':ck:job:' .. job_of(id), id)
  else
    if (state == 'w' and not call('ZSCORE', pre .. 'prioritized', id)) or (state == 'd' and not call('ZSCORE', pre .. 'delayed', id)) then
      unindex(pre, id, kept[11], kept[2])
      if call('ZSCORE', pre .. 'prioritized', id) then
        call('ZREM', pre .. 'prioritized', id)
        adopt(pre, queue, id)
        state = 'w'
      elseif call('ZSCORE', pre .. 'completed', id) then
        state = 'o'
        call('HSET', key, 'st', 'o', 'en', kept[9], 'sd', kept[12] or kept[9])
      elseif call('ZSCORE', pre .. 'failed', id) then
        state = 'x'
        call('HSET', key, 'st', 'x', 'en', kept[9], 'sd', kept[12] or kept[9])
      elseif call('EXISTS', key .. ':lock') == 1 then
        state = 'a'
      end
    end
    for n = 2, 10 do
      kept[n] = kept[n] or ''
    end
    tasks[#tasks + 1] = { id, state, kept[2], kept[3], kept[4], kept[5], kept[6], kept[7], kept[8], kept[10] }
  end
end
return tasks
