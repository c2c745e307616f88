-- For wrk: one of the bodies, and with "new" a spelling of it that was never sent before.

local bodies, first = {}, 0

function init(args)
  for line in io.lines(args[1]) do bodies[#bodies + 1] = line end
  is_new = args[2] == "new"
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
  first = math.random(1, 2 ^ 30)
end

function request()
  first = first + 1
  local body = bodies[first % #bodies + 1]
  if is_new then
    body = body:gsub('"title": "', '"title": "' .. string.rep(" ", first % 7), 1)
    local spaces = {}
    for bit = 0, 30 do spaces[#spaces + 1] = math.floor(first / 2 ^ bit) % 2 == 1 and " " or "" end
    local at = 0
    body = body:gsub(" ", function()
      at = at + 1
      return " " .. (spaces[at] or "")
    end)
  end
  return wrk.format("POST", nil, nil, body)
end
