;;; tacit-eglot.el --- Tacit in Emacs with Eglot  -*- lexical-binding: t -*-

;; Eglot runs one server for a buffer. With this file that is Tacit: Lean's own goals and errors are not shown.
;; To have both, use lsp-mode (tacit-lsp.el). Save it somewhere on `load-path' and (require 'tacit-eglot).

(require 'eglot)

(unless (fboundp 'lean4-mode)
  (define-derived-mode lean4-mode prog-mode "Lean 4")
  (add-to-list 'auto-mode-alist '("\\.lean\\'" . lean4-mode)))

(add-to-list 'eglot-server-programs '((lean4-mode :language-id "lean4") . ("tacit" "serve")))
(add-hook 'lean4-mode-hook #'eglot-ensure)

;; Else Emacs asks before it takes the proof that you have asked for.
(setq eglot-confirm-server-initiated-edits nil)

(defun tacit--request (method params then)
  "Ask Tacit METHOD with PARAMS once it knows the text as it stands; THEN gets the answer."
  (jsonrpc-async-request (eglot--current-server-or-lose) method params
                         :success-fn then
                         :error-fn (lambda (err) (message "%s" (plist-get err :message)))
                         :timeout-fn (lambda () (message "Tacit did not answer"))
                         :timeout 3600
                         :deferred method))

(defun tacit-close-goal ()
  "Search for a proof of the goal at point and put it in."
  (interactive)
  (let* ((place (eglot--TextDocumentPositionParams))
         (uri (plist-get (plist-get place :textDocument) :uri)))
    (message "Tacit searches for a proof")
    (tacit--request :workspace/executeCommand
                    (list :command "tacit.closeGoal"
                          :arguments (vector (list :uri uri :position (plist-get place :position))))
                    (lambda (result) (message "%s" (plist-get result :sentence))))))

(defun tacit-suggest ()
  "Choose among checked tactics for the goal at point, and put one in."
  (interactive)
  (let ((buffer (current-buffer)) (tick (buffer-chars-modified-tick)))
    (tacit--request
     :tacit/suggest (eglot--TextDocumentPositionParams)
     (lambda (result)
       (with-current-buffer buffer
         (when (= tick (buffer-chars-modified-tick))
           (let ((found (mapcar (lambda (each)
                                  (let ((left (length (plist-get each :goals))))
                                    (cons (format "%s%s" (plist-get each :tactic)
                                                  (if (zerop left) "" (format "  (%d left)" left)))
                                          (plist-get each :edit))))
                                (plist-get result :suggestions))))
             (if (null found)
                 (message "Nothing that was tried helps here. %s" (plist-get result :notice))
               (let ((edit (cdr (assoc (completing-read "Tactic: " found nil t) found))))
                 (eglot--apply-text-edits (vector edit)))))))))))

(with-eval-after-load 'lean4-mode
  (define-key lean4-mode-map (kbd "C-c C-t c") #'tacit-close-goal)
  (define-key lean4-mode-map (kbd "C-c C-t s") #'tacit-suggest))

(provide 'tacit-eglot)
;;; tacit-eglot.el ends here
