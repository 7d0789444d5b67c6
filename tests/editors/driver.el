;;; driver.el --- Drives Emacs in a test  -*- lexical-binding: t -*-

;; Opens TACIT_FILE with the recipe loaded, runs TACIT_DO (a list of forms), and notes in TACIT_SAID what came of it.

(require 'json)

(defvar tacit-test-said nil "What was shown in the echo area.")
(defvar tacit-test-offered nil "What a menu offered.")
(defvar tacit-test-choice nil "What is to be chosen from the next menu: a part of its label.")

(advice-add 'message :before
            (lambda (form &rest arguments)
              (when form (push (apply #'format-message form arguments) tacit-test-said))))

(defun tacit-test-choose (_prompt collection &rest _)
  "Take TACIT-TEST-CHOICE out of COLLECTION."
  (let ((labels (all-completions "" collection)))
    (setq tacit-test-offered (append tacit-test-offered labels))
    (or (seq-find (lambda (each) (string-match-p (regexp-quote tacit-test-choice) each)) labels)
        (error "No %s in %S" tacit-test-choice labels))))
(setq completing-read-function #'tacit-test-choose
      last-nonmenu-event t) ; what follows did not come from the mouse

(defun tacit-test-finish (&optional missing)
  "Write down what happened; MISSING is what did not."
  (let ((text (buffer-substring-no-properties (point-min) (point-max))))
    (with-temp-file (getenv "TACIT_SAID")
      (set-buffer-file-coding-system 'utf-8)
      (insert (json-encode `((text . ,text)
                             (notices . ,(vconcat (reverse tacit-test-said)))
                             (actions . ,(vconcat tacit-test-offered))
                             ,@(and missing `((missing . ,missing))))))))
  (set-buffer-modified-p nil)
  (kill-emacs 0))

(defun tacit-test-wait (what true)
  "Let the editor work until TRUE says so; WHAT is said to be missing otherwise."
  (let ((end (time-add nil 60)) done)
    (while (and (not (setq done (funcall true))) (time-less-p nil end))
      (run-hooks 'post-command-hook)
      ;; What a timer does once the keyboard rests, which it never does here.
      (when (bound-and-true-p eglot--managed-mode) (eglot--signal-textDocument/didChange))
      (sit-for 0.02)
      (accept-process-output nil 0.02))
    (unless done (tacit-test-finish (format "%s: %s" what (reverse tacit-test-said))))))

(defun tacit-test-try (act)
  "Call ACT until it fails no more: a list of actions may be empty while Lean still starts."
  (tacit-test-wait "action" (lambda () (condition-case nil (progn (funcall act) t) (error nil)))))

(defun tacit-test-shows (part)
  "Wait until PART stands in the buffer."
  (tacit-test-wait part (lambda () (save-excursion (goto-char (point-min)) (search-forward part nil t)))))

(defun tacit-test-hears (part)
  "Wait until PART was said."
  (tacit-test-wait part (lambda () (seq-find (lambda (each) (string-match-p (regexp-quote part) each))
                                             tacit-test-said))))

(defun tacit-test-go (text)
  "Go before the TEXT that stands last in the buffer."
  (goto-char (point-max))
  (search-backward text))

(setq enable-local-variables nil make-backup-files nil create-lockfiles nil)
(set-language-environment "UTF-8")
(find-file (getenv "TACIT_FILE"))
(condition-case err
    (mapc (lambda (form) (eval form t)) (car (read-from-string (getenv "TACIT_DO"))))
  (error (tacit-test-finish (format "%S" err))))
(tacit-test-finish)
;;; driver.el ends here
