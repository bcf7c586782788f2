-- Neovim's own MsgPack-RPC, written in C. Ends with `cquit` if anything is not as it should be.
package.path = 'chaos-tests/conformance/?.lua;' .. package.path
local testing = require('testing')
local test, equal = testing.test, testing.equal

local channel = vim.fn.sockconnect('pipe', vim.env.STANDIN_ENDPOINT, { rpc = 1 })

-- By a name of its own, so that Vim script and Lua that run inside of Neovim can call as well.
function _G.call(method, ...)
  return vim.fn.rpcrequest(channel, method, ...)
end

test('a_call_is_answered', function()
  equal(call('standin.ping'), 'pong')
  equal(call('text.replace', { text = 'a-b', pattern = '(\\w)-(\\w)', with = '$2-$1' }), 'b-a')
  local found = call('text.find', { text = 'Grüße', pattern = 'ü' })
  equal({ found[1].start, found[1].start_byte }, { 2, 2 })
end)

test('a_blob_is_sent_as_a_text_that_is_no_utf8_and_arrives_as_the_bytes_it_is', function()
  vim.cmd('let g:blob = 0zfc')
  local decode = "rpcrequest(%d, 'text.decode', {'bytes': g:blob, 'codepage': '1252'})"
  equal(vim.fn.eval(decode:format(channel)), 'ü')
  equal(vim.fn.eval(("rpcrequest(%d, 'sdk.give_back', 0zfffe)"):format(channel)), '\255\254')
end)

test('its_words_for_our_errors_are_few_and_a_batch_of_one_tells_them_whole', function()
  local fine, problem = pcall(call, 'no.such.method', {})
  equal(fine, false)
  -- Neovim shows what is written in an error only if it is a text, or [0, text] or [1, text].
  equal(problem:match('unknown error'), 'unknown error')
  local answer = call('standin.batch', { calls = { { 'no.such.method', { vim.empty_dict() } } } })[1]
  equal({ answer[1][1], answer[1][3].code }, { 3, 'method_not_found' })
  equal(answer[1][2]:match('There is no method') ~= nil, true)
  equal(call('standin.ping'), 'pong')
end)

test('a_notification_that_nobody_knows_is_passed_over', function()
  vim.fn.rpcnotify(channel, 'nobody.listens', {})
  equal(call('standin.ping'), 'pong')
end)

test('a_response_with_a_wrong_number_would_end_its_channel_and_is_never_sent', function()
  for number, misbehave in ipairs({ 'answer_twice', 'unknown_attempt' }) do
    equal(call('chaos.always', { id = number, nonce = number, misbehave = misbehave }), number)
  end
  equal(call('standin.ping'), 'pong')
end)

test('a_question_is_answered_while_its_own_call_is_pending', function()
  equal(call('standin.hello', { callbacks = true, client = 'neovim' }).resumed, false)
  -- The methods are those of Neovim's own interface.
  equal(call('sdk.ask', { method = 'nvim_eval', arguments = '6*7' }).answer, 42)
  local heard = call('sdk.ask', { method = 'nvim_no_such', arguments = '1' })
  equal({ heard.code, heard.message:match('nvim_no_such') }, { 'callback_failed', 'nvim_no_such' })
end)

test('a_blob_that_answers_a_question_arrives_as_the_bytes_it_is', function()
  equal(call('sdk.pass_on', 'nvim_eval', { '0zfffe' }), '\255\254')
end)

test('calls_and_questions_nest_three_deep', function()
  function _G.deeper(depth)
    if depth == 0 then return 'the bottom' end
    return call('sdk.pass_on', 'nvim_exec_lua', { 'return deeper(...)', { depth - 1 } })
  end
  equal(deeper(3), 'the bottom')
end)

test('a_thousand_questions_are_answered_within_one_call', function()
  local question = { method = 'nvim_eval', argument = '6*7', count = 1000 }
  equal(call('sdk.ask_many', question), 42000)
end)

test('five_hundred_calls_do_not_notice_that_workers_are_killed', function()
  local function builtin()
    for _, pool in ipairs(call('standin.status').pools) do
      if pool.name == 'builtin' then return pool end
    end
  end
  for number = 1, 500 do
    equal(call('text.split', { text = 'call ' .. number, pattern = ' ' }), { 'call', tostring(number) })
    local worker = number % 100 == 0 and builtin().workers[1]
    if worker and worker.pid then
      vim.loop.kill(worker.pid, 'sigkill')
    end
  end
  equal(builtin().died >= 3, true)
end)

vim.cmd(testing.finish('neovim') and 'qall!' or 'cquit')
