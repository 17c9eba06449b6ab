-- Each request is another heartbeat of a fleet of 10,000: each vehicle in turn, a minute apart.
local vehicles, start = 10000, tonumber(os.getenv("START"))
local headers = {["Content-Type"] = "application/json"}
number = tonumber(os.getenv("FIRST"))
refused = ""

function request()
  local turn = math.floor(number / vehicles)
  local body = string.format(
    '{"vin": "YS2R4X2000%07d", "recorded_at": "%s", "latitude": %.2f, "longitude": 17.62,'
      .. ' "speed_kmh": 80.5, "odometer_km": 123456.7}',
    number % vehicles, os.date("!%Y-%m-%dT%H:%M:%SZ", start + turn * 60), 59.19 + number % 100 / 1000
  )
  number = number + 1
  return wrk.format("POST", "/api/v1/heartbeats", headers, body)
end

function response(status, _, body)
  if status ~= 202 and #refused < 1000 then
    refused = refused .. status .. " " .. (body:match('"code": ?"([%w_]+)"') or "") .. "; "
  end
end

function setup(thread)
  the_thread = thread
end

function done(summary, latency)
  local seconds = summary.duration / 1e6
  local errors = summary.errors
  print(string.format(
    'RESULT {"requests": %d, "seconds": %.3f, "p50_ms": %.3f, "p90_ms": %.3f, "p99_ms": %.3f,'
      .. ' "max_ms": %.3f, "refused": "%s", "socket_errors": %d, "sent": %d}',
    summary.requests, seconds, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, the_thread:get("refused"),
    errors.connect + errors.read + errors.write + errors.timeout,
    the_thread:get("number")
  ))
end
