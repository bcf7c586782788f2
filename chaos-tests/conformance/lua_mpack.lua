-- lua-mpack: libmpack, an implementation in C that shares nothing with ours, under LuaJIT.
package.path = 'chaos-tests/conformance/?.lua;' .. package.path
local mpack = require('mpack')
local testing = require('testing')
local test, equal = testing.test, testing.equal

local Client = {}
Client.__index = Client

local function connect()
  local socket = require('socket.unix').stream()
  assert(socket:connect(os.getenv('STANDIN_ENDPOINT')))
  socket:settimeout(30)
  local session = mpack.Session({ unpack = mpack.Unpacker() })
  return setmetatable({ socket = socket, session = session, pack = mpack.Packer(), unread = '' }, Client)
end

function Client:send(bytes)
  assert(self.socket:send(bytes))
end

-- What kind of message comes next, and its parts.
function Client:receive()
  while true do
    if #self.unread > 0 then
      local kind, id, second, third, position = self.session:receive(self.unread, 1)
      if kind then
        self.unread = self.unread:sub(position)
        return kind, id, second, third
      end
      self.unread = ''
    end
    local first = assert(self.socket:receive(1))
    -- And what else is there: all that was wanted, or a part of it.
    self.socket:settimeout(0)
    local all, _, part = self.socket:receive(65536)
    self.socket:settimeout(30)
    self.unread = first .. (all or part)
  end
end

-- Answers questions with `answers` while it waits, last in, first out.
function Client:call(method, params, answers)
  local head = self.session:request(method)
  self:send(head .. self.pack(method) .. self.pack(params))
  while true do
    local kind, id, second, third = self:receive()
    if kind == 'response' and id == method then
      if second ~= mpack.NIL and second ~= nil then error(second, 0) end
      return third
    elseif kind == 'request' then
      local fine, answer = pcall(answers, second, third)
      local reply = self.session:reply(id)
      self:send(reply .. self.pack(fine and mpack.NIL or answer) .. self.pack(fine and answer or mpack.NIL))
    end
  end
end

test('ids_begin_at_zero', function()
  local client = connect()
  local head = client.session:request('first')
  equal({ head:byte(1, -1) }, { 0x94, 0, 0 })
  client:send(head .. client.pack('standin.ping') .. client.pack({}))
  local kind, id, problem, result = client:receive()
  equal({ kind, id, problem, result }, { 'response', 'first', mpack.NIL, 'pong' })
end)

test('a_response_of_three_elements_is_refused_by_it_and_never_sent_by_us', function()
  local session = mpack.Session({ unpack = mpack.Unpacker() })
  session:request('first')
  local fine, problem = pcall(function() return session:receive('\147\1\0\192', 1) end)
  equal({ fine, problem }, { false, 'invalid msgpack-rpc string' })
  -- It takes every kind of answer of the service: results, nil among them, and errors of both kinds.
  local client = connect()
  equal(client:call('sdk.give_back', { mpack.NIL }), mpack.NIL)
  equal(pcall(client.call, client, 'no.such.method', {}), false)
  equal(pcall(client.call, client, 'standin.ping', { 1, 2 }), false)
  equal(client:call('standin.ping', {}), 'pong')
end)

test('a_response_to_nothing_would_end_it_and_is_never_sent', function()
  local session = mpack.Session({ unpack = mpack.Unpacker() })
  equal(pcall(function() return session:receive('\148\1\99\192\7', 1) end), false)
  -- A worker that answers twice, and one that answers what nobody asked.
  local client = connect()
  for number, misbehave in ipairs({ 'answer_twice', 'unknown_attempt' }) do
    local arguments = { id = number, nonce = number, misbehave = misbehave }
    equal(client:call('chaos.always', { arguments }), number)
  end
  equal(client:call('standin.ping', {}), 'pong')
end)

test('any_bytes_are_a_text_to_it_and_come_back_as_they_are', function()
  local client = connect()
  for _, text in ipairs({ 'Gr\195\188\195\159e', '\255\254', ('x'):rep(70000) }) do
    equal(client:call('sdk.give_back', { text }), text)
  end
end)

test('an_error_has_its_number_its_sentence_and_its_code', function()
  local client = connect()
  local _, problem = pcall(client.call, client, 'no.such.method', {})
  equal({ problem[1], problem[3].code, problem[3].outcome }, { 3, 'method_not_found', 'not_executed' })
  equal(type(problem[2]), 'string')
end)

test('questions_are_answered_while_its_own_call_is_pending_three_deep', function()
  local client = connect()
  client:call('standin.hello', { { callbacks = true } })
  local function deeper(method, params)
    equal(method, 'deeper')
    local depth = params[1].depth
    if depth == 0 then return 'the bottom' end
    local question = { method = 'deeper', arguments = { depth = depth - 1 } }
    return client:call('sdk.ask', { question }, deeper).answer
  end
  local question = { method = 'deeper', arguments = { depth = 2 } }
  equal(client:call('sdk.ask', { question }, deeper).answer, 'the bottom')
  local asked = 0
  local heard = client:call('sdk.ask_all', { { method = 'price', count = 100 } }, function(_, params)
    asked = asked + 1
    equal(params[1].number, asked)
    return asked
  end)
  equal({ #heard, heard[100].answer }, { 100, 100 })
end)

os.exit(testing.finish('lua-mpack') and 0 or 1)
