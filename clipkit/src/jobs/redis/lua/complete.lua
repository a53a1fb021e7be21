-- ARGV: id, fence, the successors as JSON or nothing. Answers 1, or 0 if the task is not held.
local id = ARGV[1]
local pre = keys_of(queue_of(id))
local kept = held(pre, id, ARGV[2])
if not kept then return 0 end
release(pre, id, kept[3], kept[4], kept[5])
if kept[6] == '1' then
  finish(pre, id, 'c', '', 'cancelled', 'active')
  return 1
end
finish(pre, id, 'o', '', '', 'active')
if ARGV[3] ~= '' then
  for _, task in ipairs(cjson.decode(ARGV[3])) do
    add(task)
  end
end
return 1
