-- Drives Neovim in a test: opens a Lean file with the recipe loaded, does what TACIT_STEPS says, and notes in TACIT_SAID
-- what came of it, a JSON object.

local said = { notices = {}, actions = {} }
vim.notify = function(text)
  table.insert(said.notices, text)
end

local function finish()
  said.text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') .. '\n'
  said.cursor = vim.api.nvim_win_get_cursor(0)
  said.version = tostring(vim.version().major) .. '.' .. tostring(vim.version().minor)
  local file = io.open(vim.env.TACIT_SAID, 'w')
  file:write(vim.json and vim.json.encode(said) or vim.fn.json_encode(said))
  file:close()
  vim.cmd('qa!')
end

local function wait(what, true_)
  if not vim.wait(60000, true_, 20) then
    said.missing = what
    finish()
  end
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
end

local function client()
  for _, each in ipairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do
    if each.name == 'tacit' and each.initialized then
      return each
    end
  end
end

local chosen -- the item of a menu that is to be taken, by a pattern
vim.ui.select = function(items, options, done)
  for index, item in ipairs(items) do
    local label = options.format_item and options.format_item(item) or tostring(item)
    table.insert(said.actions, label)
    if chosen and label:find(chosen, 1, true) then
      chosen = nil
      done(item, index)
    end
  end
end

local steps = {
  cursor = function(line, column)
    vim.api.nvim_win_set_cursor(0, { line, column })
  end,
  -- Type in normal mode, as a person would.
  type = function(keys)
    vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'xt', false)
  end,
  choose = function(pattern)
    chosen = pattern
  end,
  pause = function(milliseconds)
    vim.wait(milliseconds)
  end,
  ex = function(command)
    vim.cmd(command)
  end,
  -- The list may be empty while Lean still starts.
  action = function()
    wait('actions', function()
      vim.lsp.buf.code_action()
      return vim.wait(5000, function()
        return chosen == nil
      end, 20)
    end)
  end,
  shows = function(part)
    wait('text ' .. part, function()
      return text():find(part, 1, true) ~= nil
    end)
  end,
  hears = function(part)
    wait('notice ' .. part, function()
      return table.concat(said.notices, '\n'):find(part, 1, true) ~= nil
    end)
  end,
  offers = function(part)
    wait('action ' .. part, function()
      return table.concat(said.actions, '\n'):find(part, 1, true) ~= nil
    end)
  end,
}

vim.schedule(function()
  vim.cmd('edit ' .. vim.fn.fnameescape(vim.env.TACIT_FILE))
  wait('client', client)
  said.encoding = client().offset_encoding
  local capabilities = client().server_capabilities or {}
  said.offered = capabilities.positionEncoding
  for _, step in ipairs(vim.fn.json_decode(vim.env.TACIT_STEPS)) do
    local ok, err = pcall(steps[step[1]], step[2], step[3])
    if not ok then
      said.missing = step[1] .. ': ' .. tostring(err)
      break
    end
  end
  finish()
end)
