-- ARGV: id. Answers 1, or 0 if there is no such task that neither waits nor runs.
local id = ARGV[1]
local pre = keys_of(queue_of(id))
local state = call('HGET', pre .. id, 'st')
if state ~= 'o' and state ~= 'x' and state ~= 'c' then return 0 end
call('DEL', pre .. id, pre .. id .. ':lock', pre .. id .. ':logs')
call('ZREM', pre .. 'completed', id)
call('ZREM', pre .. 'failed', id)
call('ZREM', P .. ':ck:tasks', id)
call('ZREM', P .. ':ck:job:' .. job_of(id), id)
event(pre, 'removed', id, 'prev', state == 'o' and 'completed' or 'failed')
return 1
