-- ARGV: the job. Answers with how many tasks it concerned.
local concerned = 0
for _, id in ipairs(call('ZRANGE', P .. ':ck:job:' .. ARGV[1], 0, -1)) do
  local pre = keys_of(queue_of(id))
  local kept = call('HMGET', pre .. id, 'st', 'priority', 'u', 'c')
  local state = kept[1]
  if state == 'w' or state == 'd' then
    if state == 'w' then unindex(pre, id, kept[2], kept[3]) end
    if call('ZREM', pre .. (state == 'w' and 'prioritized' or 'delayed'), id) == 1 then
      finish(pre, id, 'c', '', 'cancelled', state == 'w' and 'waiting' or 'delayed')
      concerned = concerned + 1
    end
  elseif state == 'a' then
    call('HSET', pre .. id, 'c', 1)
    concerned = concerned + 1
  end
end
return concerned
