-- ARGV: id. Answers 1, or 0 if there is no such dead or cancelled task.
local id = ARGV[1]
local pre = keys_of(queue_of(id))
local kept = call('HMGET', pre .. id, 'st', 'priority', 'u', 'sq')
if kept[1] ~= 'x' and kept[1] ~= 'c' then return 0 end
call('ZREM', pre .. 'failed', id)
call('HDEL', pre .. id, 'finishedOn', 'failedReason', 'returnvalue', 'en')
call('HSET', pre .. id, 'st', 'w', 'a', 0, 's', 0, 'c', 0, 'du', text(now))
enqueue(pre, id, kept[2], kept[3], tonumber(kept[4]), 'failed')
return 1
