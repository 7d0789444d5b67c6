;;; tacit-lsp.el --- Tacit in Emacs with lsp-mode  -*- lexical-binding: t -*-

;; lsp-mode runs several servers for one buffer, so that Tacit stands beside Lean's own (lean4-mode).
;; Save it somewhere on `load-path' and (require 'tacit-lsp).

(require 'lsp-mode)

(unless (fboundp 'lean4-mode)
  (define-derived-mode lean4-mode prog-mode "Lean 4")
  (add-to-list 'auto-mode-alist '("\\.lean\\'" . lean4-mode)))

(add-to-list 'lsp-language-id-configuration '(lean4-mode . "lean4"))

(lsp-register-client
 (make-lsp-client :new-connection (lsp-stdio-connection '("tacit" "serve"))
                  :activation-fn (lambda (_file mode) (eq mode 'lean4-mode))
                  ;; lsp-mode counts columns in characters; before 9.0 it does not say so by itself.
                  :custom-capabilities (unless (assq 'general (lsp--client-capabilities))
                                         '((general . ((positionEncodings . ["utf-32"])))))
                  :notification-handlers (lsp-ht ("tacit/statusChanged" #'ignore) ("tacit/indexChanged" #'ignore))
                  :add-on? t
                  :priority -1
                  :server-id 'tacit))

(add-hook 'lean4-mode-hook #'lsp-deferred)

(defun tacit--request (method params then)
  "Ask Tacit METHOD with PARAMS; THEN gets the answer."
  (let ((workspace (or (lsp-find-workspace 'tacit (buffer-file-name))
                       (user-error "Tacit is not running here"))))
    (with-lsp-workspace workspace
      (lsp-request-async method params then
                         :mode 'detached
                         :error-handler (lambda (err) (message "%s" (lsp-get err :message)))))))

(defun tacit-close-goal ()
  "Search for a proof of the goal at point and put it in."
  (interactive)
  (let ((place (lsp--text-document-position-params)))
    (message "Tacit searches for a proof")
    (tacit--request "workspace/executeCommand"
                    (list :command "tacit.closeGoal"
                          :arguments (vector (list :uri (lsp--buffer-uri)
                                                   :position (plist-get place :position))))
                    (lambda (result) (message "%s" (lsp-get result :sentence))))))

(defun tacit-suggest ()
  "Choose among checked tactics for the goal at point, and put one in."
  (interactive)
  (let ((buffer (current-buffer)) (tick (buffer-chars-modified-tick)))
    (tacit--request
     "tacit/suggest" (lsp--text-document-position-params)
     (lambda (result)
       (with-current-buffer buffer
         (when (= tick (buffer-chars-modified-tick))
           (let ((found (mapcar (lambda (each)
                                  (let ((left (length (lsp-get each :goals))))
                                    (cons (format "%s%s" (lsp-get each :tactic)
                                                  (if (zerop left) "" (format "  (%d left)" left)))
                                          (lsp-get each :edit))))
                                (lsp-get result :suggestions))))
             (if (null found)
                 (message "Nothing that was tried helps here. %s" (lsp-get result :notice))
               (let ((edit (cdr (assoc (completing-read "Tactic: " found nil t) found))))
                 (lsp--apply-text-edits (vector edit)))))))))))

(with-eval-after-load 'lean4-mode
  (define-key lean4-mode-map (kbd "C-c C-t c") #'tacit-close-goal)
  (define-key lean4-mode-map (kbd "C-c C-t s") #'tacit-suggest))

(provide 'tacit-lsp)
;;; tacit-lsp.el ends here
