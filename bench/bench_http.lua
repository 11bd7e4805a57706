-- SPDX-License-Identifier: Apache-2.0
-- For wrk: sends the requests of the file that BENCH_REQUESTS names, whole and as they stand.
local requests, at = {}, 0

function init(args)
  local f = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
  while true do
    local n = f:read("*n")
    if not n then break end
    f:read(1)
    requests[#requests + 1] = f:read(n)
  end
  f:close()
end

function request()
  at = at % #requests + 1
  return requests[at]
end
