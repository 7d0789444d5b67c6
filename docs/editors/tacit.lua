-- Tacit in Neovim: 0.7 or later, no plugin needed. Save as ~/.config/nvim/plugin/tacit.lua (Lua, any name).
-- Works beside Lean's own server (lean.nvim): it is one more client of the same buffers.

local command = { 'tacit', 'serve' }
local settings = { codeAction = { closeGoal = true } }

local clients = {} -- by folder, for Neovim 0.7, which cannot look for them itself
local closing = {} -- the request that goes on, by buffer

local function root(path)
  local above = vim.fn.fnamemodify(path, ':p:h')
  for _, name in ipairs({ 'lakefile.toml', 'lakefile.lean', 'lean-toolchain' }) do
    local found = vim.fn.findfile(name, above .. ';')
    if found ~= '' then
      return vim.fn.fnamemodify(found, ':p:h')
    end
  end
  return above
end

local function start(buffer)
  local folder = root(vim.api.nvim_buf_get_name(buffer))
  local config = {
    name = 'tacit',
    cmd = command,
    root_dir = folder,
    init_options = settings,
    get_language_id = function()
      return 'lean4'
    end,
    on_exit = function()
      clients[folder] = nil
    end,
  }
  if vim.lsp.start then
    vim.lsp.start(config, { bufnr = buffer })
  else
    clients[folder] = clients[folder] or vim.lsp.start_client(config)
    vim.lsp.buf_attach_client(buffer, clients[folder])
  end
end

local function client_of(buffer)
  for _, client in ipairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do
    if client.name == 'tacit' and vim.lsp.buf_is_attached(buffer, client.id) then
      return client
    end
  end
  vim.notify('Tacit is not running here.', vim.log.levels.WARN)
end

-- Client functions take the client as their first argument since 0.11.
local function call(client, name, ...)
  if vim.fn.has('nvim-0.11') == 1 then
    return client[name](client, ...)
  end
  return client[name](...)
end

-- How this client counts columns.
local function units(client)
  return client.offset_encoding or 'utf-16'
end

-- Ask Tacit about the cursor's place; `answer` gets the result, unless the text has changed meanwhile.
local function ask(method, more, answer)
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    return
  end
  local place = vim.lsp.util.make_position_params(0, units(client))
  local tick = vim.api.nvim_buf_get_changedtick(buffer)
  local params = vim.tbl_extend('force', { textDocument = place.textDocument, position = place.position }, more)
  call(client, 'request', method, params, function(err, result)
    if err then
      vim.notify(err.message, vim.log.levels.WARN)
    elseif vim.api.nvim_buf_get_changedtick(buffer) == tick then
      answer(result, function(edit)
        vim.lsp.util.apply_text_edits({ edit }, buffer, units(client))
      end, buffer)
    end
  end, buffer)
end

-- :TacitClose searches for a proof of the goal at the cursor and puts it in; :TacitCancel ends that.
local function close()
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    return
  end
  local place = vim.lsp.util.make_position_params(0, units(client))
  local argument = { uri = place.textDocument.uri, position = place.position }
  local params = { command = 'tacit.closeGoal', arguments = { argument } }
  local _, id = call(client, 'request', 'workspace/executeCommand', params, function(err, result)
    closing[buffer] = nil
    vim.notify(err and err.message or result.sentence)
  end, buffer)
  closing[buffer] = id
end

local function cancel()
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if client and closing[buffer] then
    call(client, 'cancel_request', closing[buffer])
    closing[buffer] = nil
    vim.notify('Cancelled; nothing was inserted.')
  end
end

-- :TacitSuggest lists the checked tactics for the goal at the cursor; the chosen one is put in.
local function suggest()
  ask('tacit/suggest', {}, function(result, apply)
    if #result.suggestions == 0 then
      vim.notify(result.notice ~= '' and result.notice or 'Nothing that was tried helps here.')
      return
    end
    vim.ui.select(result.suggestions, {
      prompt = 'Tactic',
      format_item = function(item)
        local left = #item.goals
        return left == 0 and item.tactic or ('%s  (%d left)'):format(item.tactic, left)
      end,
    }, function(item)
      if item then
        apply(item.edit)
      end
    end)
  end)
end

-- :TacitComplete (or a key in insert mode, below) puts in what other editors show as ghost text.
local function complete()
  ask('textDocument/inlineCompletion', { context = { triggerKind = 1 } }, function(result, apply, buffer)
    local item = result and (result.items or result)[1]
    if not item then
      vim.notify('Nothing that was tried helps here.')
      return
    end
    apply({ range = item.range, newText = item.insertText })
    local lines = vim.split(item.insertText, '\n')
    local row = item.range.start.line + #lines
    local line = vim.api.nvim_buf_get_lines(buffer, row - 1, row, false)[1]
    vim.api.nvim_win_set_cursor(0, { row, #line })
  end)
end

vim.api.nvim_create_user_command('TacitClose', close, {})
vim.api.nvim_create_user_command('TacitCancel', cancel, {})
vim.api.nvim_create_user_command('TacitSuggest', suggest, {})
vim.api.nvim_create_user_command('TacitComplete', complete, {})

vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile' }, {
  pattern = '*.lean',
  callback = function(event)
    start(event.buf)
    local here = { buffer = event.buf }
    vim.keymap.set('n', '<LocalLeader>tc', close, here)
    vim.keymap.set('n', '<LocalLeader>ts', suggest, here)
    vim.keymap.set('n', '<LocalLeader>ta', vim.lsp.buf.code_action, here)
    vim.keymap.set('i', '<M-t>', complete, here)
  end,
})
