-- ARGV: lease in ms, then id and fence of each task. Answers for each h held, c cancelled, l lost.
local lease, standings = tonumber(ARGV[1]), {}
for n = 2, #ARGV, 2 do
  local id, fence = ARGV[n], ARGV[n + 1]
  local pre = keys_of(queue_of(id))
  local kept = held(pre, id, fence)
  if kept then
    call('ZADD', pre .. 'ck:lease', now + lease, id)
    call('SET', pre .. id .. ':lock', 'clipkit:' .. fence, 'PX', text(lease))
    standings[#standings + 1] = kept[6] == '1' and 'c' or 'h'
  else
    standings[#standings + 1] = 'l'
  end
end
return standings
