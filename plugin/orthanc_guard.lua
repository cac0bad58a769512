-- Refuse, before Orthanc and its plugins answer, what a page of another site makes a browser ask for, bytes that end in
-- an error of the Python plugin, and forms that Orthanc would answer without asking Treegarth. An entry of Orthanc's
-- "LuaScripts", the last of those that filter requests.
--
-- Orthanc itself checks the login and nothing else: a browser that has it sends it with whatever a foreign page asks
-- for, and without a login any page may reach a server of this machine under its own name (DNS rebinding). Browsers
-- tell where a request comes from by Sec-Fetch-Site (only where the address is HTTPS or this machine), Origin and
-- Referer; programs send none of them. A link from elsewhere, as from a RIS, is a navigation and passes.
--
-- Treegarth's own addresses judge by the same rules, with a sentence (treegarth/web/access.py); what is refused here is
-- an empty 403. What the settings allow comes from the plugin, by the environment (treegarth/host/request_guard.py).

local SAY_AGAIN_S = 60
local USUAL_PORTS = {http = "80", https = "443"}

-- What the Python plugin cannot read is answered with 500. RFC 3629, section 4; each becomes one ASCII character.
local UTF8 = {
  "[\194-\223][\128-\191]",
  "\224[\160-\191][\128-\191]",
  "[\225-\236\238\239][\128-\191][\128-\191]",
  "\237[\128-\159][\128-\191]",
  "\240[\144-\191][\128-\191][\128-\191]",
  "[\241-\243][\128-\191][\128-\191][\128-\191]",
  "\244[\128-\143][\128-\191][\128-\191]",
}

local print, time = print, os.time  -- as they are now, whatever another script makes of them
local asked_before = type(IncomingHttpRequestFilter) == "function" and IncomingHttpRequestFilter  -- a site's own

local function set_of(list)
  local set = {}
  for _, one in ipairs(list or {}) do
    set[one] = true
  end
  return set
end

local told = ParseJson(os.getenv("TREEGARTH_GUARD") or "null")
local is_loaded = told ~= nil
if not is_loaded then
  print("Treegarth is not loaded: its guard knows no settings, and only requests of this machine, under its own names " ..
    "and from its own pages, pass. A sign-in of Treegarth's users would be missing.")
  told = {}
end
local hosts, allowed_origins = set_of(told.Hosts), set_of(told.AllowedOrigins)

local refused, said_at = 0, nil

local function is_utf8(text)
  if text:find("[\128-\255]") then
    for _, sequence in ipairs(UTF8) do
      text = text:gsub(sequence, "u")
    end
  end
  return not text:find("[\128-\255]")
end

-- `pacs.example.org:8042` or `[::1]:8042`: the name in small letters and the port, nil where it is neither.
local function host_and_port(text)
  local host, port = text:lower():match("^([%w%.%-_]+):?(%d*)$")
  if not host then
    host, port = text:lower():match("^(%[[%x:%.]+%]):?(%d*)$")
  end
  return host, port
end

-- `https://host` or `https://host:port`, without the usual port, as treegarth/reach.py writes it; nil where it is none.
local function origin_of(url)
  local scheme, authority = url:match("^(%a+)://([^/%?#]+)")
  scheme = scheme and scheme:lower()
  local host, port = host_and_port(authority or "")
  if not host or not USUAL_PORTS[scheme] then
    return nil
  end
  port = port:gsub("^0+", "")
  return scheme .. "://" .. host .. ((port == "" or port == USUAL_PORTS[scheme]) and "" or ":" .. port)
end

local function is_loopback(host)
  if host == "localhost" or host:find("%.localhost$") or host == "::1" then
    return true
  end
  local bytes = {host:match("^127%.(%d+)%.(%d+)%.(%d+)$")}
  for _, one in ipairs(bytes) do
    if #one > 3 or tonumber(one) > 255 then
      return false
    end
  end
  return #bytes == 3
end

local function is_own_name(headers)
  if told.AnyHost == true or not headers["host"] then
    return true
  end
  local host = (host_and_port(headers["host"]) or ""):gsub("%.$", ""):gsub("[%[%]]", "")
  return is_loopback(host) or hosts[host] == true
end

-- Whether a page came from PublicUrl, or from the host that the request names; a proxy may speak HTTPS for us.
local function is_here(origin, headers)
  local here = origin and origin_of(origin:match("^%a+://") .. (headers["host"] or ""))
  return origin ~= nil and (origin == here or origin == told.PublicOrigin)
end

local function is_own_page(method, headers)
  local source = headers["origin"] or headers["referer"]
  local origin = origin_of(source or "")
  if allowed_origins[origin or ""] then
    return true
  end
  local site = headers["sec-fetch-site"]
  if site then
    local is_link = headers["sec-fetch-mode"] == "navigate" and headers["sec-fetch-dest"] == "document"
    return site == "same-origin" or site == "none" or (method == "GET" and is_link)
  end
  if not source or is_here(origin, headers) then
    return true
  end
  local is_page = (headers["accept"] or ""):find("^text/html") ~= nil  -- a link, not a picture
  return method == "GET" and not headers["origin"] and is_page
end

local function is_own_path(uri)
  for _, path in ipairs(told.OwnPaths or {}) do
    if uri == path or uri:sub(1, #path + 1) == path .. "/" then
      return true
    end
  end
  return false
end

-- The first header that is not UTF-8, as the log may have it; nil where all are.
local function unreadable(headers)
  for name, value in pairs(headers) do
    if not (is_utf8(name) and is_utf8(value)) then
      return name:gsub("[^%w%-]", "?"):sub(1, 40)
    end
  end
end

-- Those that say something.
local function without_empty(headers)
  local kept = {}
  for name, value in pairs(headers) do
    kept[name] = value ~= "" and value or nil
  end
  return kept
end

-- Why the request is refused; nil where it is not. No address goes into the log: it can identify a patient.
local function reason(method, uri, ip, headers)
  headers = without_empty(headers)
  local has_scripts = told.ScriptsServe == true  -- of the site: they judge nothing, and may answer at any address
  local is_own = is_own_path(uri)
  local odd = (is_own or has_scripts) and unreadable(headers)
  if not is_utf8(uri) then
    return "its address is not UTF-8"
  elseif not is_loaded and not is_loopback(ip) then
    return "it comes from another machine, and Treegarth, which knows who may ask, is not loaded"
  elseif odd then
    return "its header " .. odd .. " is not UTF-8"
  elseif is_own and (headers["content-type"] or ""):lower():find("^%s*multipart/form%-data") then
    return "it is multipart/form-data, which Orthanc takes for an upload and answers itself"
  elseif is_own and not has_scripts then
    return nil
  elseif not is_own_name(headers) then
    local host = headers["host"]:gsub("[^%w%.%-_:%[%]]", "?"):sub(1, 80)
    return "there is no login, and " .. host .. " is neither a name of this machine nor that of Treegarth.PublicUrl"
  elseif not is_own_page(method, headers) then
    local source = origin_of(headers["origin"] or headers["referer"] or "") or "another site"
    return "a page of " .. source .. " made a browser send it; if that may, list it in Treegarth.AllowedOrigins"
  end
end

local function say(sentence)
  refused = refused + 1
  local now = time()
  if not said_at or now - said_at >= SAY_AGAIN_S or now < said_at then
    said_at = now
    print("Treegarth's guard refused a request (" .. refused .. " so far): " .. sentence .. ".")
  end
end

function IncomingHttpRequestFilter(method, uri, ip, username, headers)
  local was_judged, why = pcall(reason, method, uri, ip, headers)
  if not was_judged then
    why = "it could not be judged: " .. tostring(why)
  end
  if why then
    say(why)
    return false
  end
  return not asked_before or asked_before(method, uri, ip, username, headers)
end
