-- The least that a test needs. Ends the program by `finish`, which tells how it went.
local testing = { passed = 0, failed = 0 }

local function shown(value)
  if type(value) ~= 'table' then
    return tostring(value)
  end
  local parts = {}
  for key, inner in pairs(value) do
    parts[#parts + 1] = tostring(key) .. '=' .. shown(inner)
  end
  return '{' .. table.concat(parts, ', ') .. '}'
end

local function same(a, b)
  if type(a) ~= 'table' or type(b) ~= 'table' then
    return a == b
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

function testing.equal(got, wanted)
  if not same(got, wanted) then
    error('got ' .. shown(got) .. ', wanted ' .. shown(wanted), 2)
  end
end

function testing.test(name, body)
  local fine, problem = pcall(body)
  if fine then
    testing.passed = testing.passed + 1
  else
    testing.failed = testing.failed + 1
    io.stderr:write(name .. ': ' .. tostring(problem) .. '\n')
  end
end

function testing.finish(name)
  io.stderr:write(('%s: %d passed, %d failed\n'):format(name, testing.passed, testing.failed))
  return testing.failed == 0 and testing.passed > 0
end

return testing
