-- ARGV: the tasks as JSON. Answers with how many were new.
local added = 0
for _, task in ipairs(cjson.decode(ARGV[1])) do
  added = added + add(task)
end
return added
