-- Calls through Neovim's own MsgPack-RPC. Ends with `cquit` if anything is not as it should be.
local failures = {}

local function check(what, got, wanted)
  if not vim.deep_equal(got, wanted) then
    table.insert(failures, what .. ": got " .. vim.inspect(got) .. ", wanted " .. vim.inspect(wanted))
  end
end

local function run()
  local channel = vim.fn.sockconnect('pipe', vim.env.STANDIN_ENDPOINT, { rpc = 1 })
  local function call(method, arguments)
    if arguments == nil then
      return vim.fn.rpcrequest(channel, method)
    end
    return vim.fn.rpcrequest(channel, method, arguments)
  end

  check('ping', call('standin.ping'), 'pong')
  check('replace', call('text.replace', { text = 'a-b', pattern = '(\\w)-(\\w)', with = '$2-$1' }), 'b-a')
  local found = call('text.find', { text = 'Grüße', pattern = 'ü' })
  check('find: start', found[1].start, 2)
  check('find: start in bytes', found[1].start_byte, 2)

  local names = {}
  for _, method in ipairs(call('standin.methods')) do
    names[method.name] = method.replay
  end
  check('methods', names['text.find'], 'always')

  -- Neovim sends a Blob as a str that is no UTF-8; it must arrive as the bytes it is.
  vim.cmd('let g:blob = 0zfc')
  check('blob', vim.fn.eval(string.format(
    "rpcrequest(%d, 'text.decode', {'bytes': g:blob, 'codepage': '1252'})", channel)), 'ü')

  local fine, problem = pcall(call, 'no.such.method', {})
  check('an unknown method is an error', fine, false)
  check('the error is told', type(problem), 'string')
  check('the connection lives on', call('standin.ping'), 'pong')

  vim.fn.rpcnotify(channel, 'nobody.listens', {})
  for number = 1, 500 do
    local text = 'call ' .. number
    check(text, call('text.split', { text = text, pattern = ' ' }), { 'call', tostring(number) })
    if number % 100 == 0 then
      -- Somebody kills a worker; the next call must not notice.
      local worker = call('standin.status').pools[1].workers[1]
      if worker and worker.pid then
        vim.loop.kill(worker.pid, 'sigkill')
      end
    end
  end
  local died = call('standin.status').pools[1].died
  check('workers died meanwhile', died >= 3, true)
end

local fine, problem = pcall(run)
if not fine then
  table.insert(failures, tostring(problem))
end
for _, failure in ipairs(failures) do
  io.stderr:write(failure .. '\n')
end
io.stderr:write(#failures == 0 and 'neovim: 500 calls, all as they should be\n' or 'neovim: FAILED\n')
vim.cmd(#failures == 0 and 'qall!' or 'cquit')
