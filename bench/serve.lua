-- The part of serve.sh that wrk runs: posts one picture and counts answers by their status.
local file = assert(io.open(os.getenv("PICTURE"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "image/jpeg"
if os.getenv("TOKEN") then wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN") end

-- A refused request is sent again after a pause, as a client that heeds Retry-After would, only sooner.
local pause = tonumber(os.getenv("PAUSE") or "50")
local refused = false

function delay()
  if refused then return pause end
  return 0
end

local threads = {}
function setup(thread) table.insert(threads, thread) end

function init()
  fine, busy, other = 0, 0, 0
end

function response(status)
  refused = status ~= 200
  if status == 200 then fine = fine + 1 elseif status == 429 then busy = busy + 1 else other = other + 1 end
end

function done(summary)
  local sum = { fine = 0, busy = 0, other = 0 }
  for _, t in ipairs(threads) do
    for k in pairs(sum) do sum[k] = sum[k] + t:get(k) end
  end
  local e = summary.errors
  io.write(string.format("answered %d (%.1f/s), 429 %d, other %d; connect %d, read %d, write %d, timeout %d\n", sum.fine,
    sum.fine / summary.duration * 1e6, sum.busy, sum.other, e.connect, e.read, e.write, e.timeout))
end
