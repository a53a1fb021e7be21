-- ARGV: id, fence, o done or x dead or d later, report, message, time, whether the attempt counts.
-- Answers 1, or 0 if the task is not held.
local id = ARGV[1]
local pre = keys_of(queue_of(id))
local kept = held(pre, id, ARGV[2])
if not kept then return 0 end
release(pre, id, kept[3], kept[4], kept[5])
local state, report, message = ARGV[3], ARGV[4], ARGV[5]
if ARGV[7] == '0' then call('HINCRBY', pre .. id, 'a', -1) end
if kept[6] == '1' then
  finish(pre, id, 'c', report, 'cancelled', 'active')
elseif state == 'd' then
  local due = tonumber(ARGV[6])
  call('HSET', pre .. id, 'st', 'd', 'er', report, 'en', text(now), 'du', text(due), 'delay', text(math.max(0, due - now)))
  delay(pre, id, due)
else
  finish(pre, id, state, report, message, 'active')
end
return 1
