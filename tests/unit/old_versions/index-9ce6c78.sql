BEGIN TRANSACTION;
CREATE TABLE files(
  id INTEGER PRIMARY KEY, module TEXT NOT NULL UNIQUE, path TEXT NOT NULL, digest TEXT NOT NULL, stamp TEXT NOT NULL,
  imports TEXT NOT NULL, problem TEXT NOT NULL);
INSERT INTO "files" VALUES(1,'Top.Algebra','/project/top/Top/Algebra.lean','0592490a041898b314a0c365dbf18c2e','1795311723251752193-116','[]','');
INSERT INTO "files" VALUES(2,'Top.Order','/project/top/Top/Order.lean','0192c55e2b14c1a5aaf99b88fe2b6526','1795311723251809767-118','["Top.Algebra"]','');
CREATE TABLE manifest(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "manifest" VALUES('analysis','3');
INSERT INTO "manifest" VALUES('package','top');
INSERT INTO "manifest" VALUES('reading','4');
INSERT INTO "manifest" VALUES('revision','');
INSERT INTO "manifest" VALUES('root','/project/top');
INSERT INTO "manifest" VALUES('schema','1');
INSERT INTO "manifest" VALUES('toolchain','');
CREATE TABLE postings(
  segment INTEGER NOT NULL, term TEXT NOT NULL, entries BLOB NOT NULL, PRIMARY KEY(segment, term)) WITHOUT ROWID;
INSERT INTO "postings" VALUES(1,'=group.mul_comm',X'00400000');
INSERT INTO "postings" VALUES(1,'=mul_comm',X'00400000');
INSERT INTO "postings" VALUES(1,'=multiplication',X'40000000');
INSERT INTO "postings" VALUES(1,'=sum_le_sum',X'00400100');
INSERT INTO "postings" VALUES(1,'alg',X'04000000');
INSERT INTO "postings" VALUES(1,'comm',X'40400000');
INSERT INTO "postings" VALUES(1,'eq',X'00080000');
INSERT INTO "postings" VALUES(1,'forall',X'00020100');
INSERT INTO "postings" VALUES(1,'grp',X'00400000');
INSERT INTO "postings" VALUES(1,'le',X'004A0100');
INSERT INTO "postings" VALUES(1,'mem',X'00120100');
INSERT INTO "postings" VALUES(1,'mul',X'40500000');
INSERT INTO "postings" VALUES(1,'ord',X'04000100');
INSERT INTO "postings" VALUES(1,'sum',X'00900100');
INSERT INTO "postings" VALUES(1,'top',X'0400000004000100');
INSERT INTO "postings" VALUES(1,'~* =',X'00080000');
INSERT INTO "postings" VALUES(1,'~= *',X'00080000');
INSERT INTO "postings" VALUES(1,'~~* = *',X'00080000');
INSERT INTO "postings" VALUES(1,'~~∑ ∈ ≤ ∑ ∈',X'00080100');
INSERT INTO "postings" VALUES(1,'~∈ ≤',X'00080100');
INSERT INTO "postings" VALUES(1,'~∑ ∈',X'00100100');
INSERT INTO "postings" VALUES(1,'~≤ ∑',X'00080100');
CREATE TABLE premises(
  id INTEGER PRIMARY KEY AUTOINCREMENT, file INTEGER NOT NULL, digest TEXT NOT NULL, note TEXT NOT NULL,
  name, kind, module, line, type, binders, context, doc, value, attributes, namespace, opens, private, protected, origin, made_from, start, body, stop);
INSERT INTO "premises" VALUES(1,1,'21e1cfece00b131a8d8e6812c521843e','','Group.mul_comm','theorem','Top.Algebra',3,'a * b = b * a','(a b : G)','','Multiplication is commutative.','','','Group','',0,0,'source','',16,97,105);
INSERT INTO "premises" VALUES(2,2,'c2f5bbd496e1f7b566882cec2b9df2d6','','sum_le_sum','theorem','Top.Order',2,'∑ i ∈ s, f i ≤ ∑ i ∈ s, g i','(h : ∀ i ∈ s, f i ≤ g i)','','','','','','',0,0,'source','',19,93,101);
CREATE TABLE readings(
  file INTEGER PRIMARY KEY, taught TEXT NOT NULL, asked BLOB NOT NULL, uses BLOB NOT NULL);
INSERT INTO "readings" VALUES(1,'{}',X'',X'');
INSERT INTO "readings" VALUES(2,'{}',X'',X'');
CREATE TABLE segments(
  id INTEGER PRIMARY KEY, count INTEGER NOT NULL, ids BLOB NOT NULL, files BLOB NOT NULL, kinds BLOB NOT NULL,
  alive BLOB NOT NULL, lengths BLOB NOT NULL);
INSERT INTO "segments" VALUES(1,2,X'0100000002000000',X'0100000002000000',X'0000',X'0101',X'05060003000200040A0300000200');
CREATE INDEX premises_name ON premises(name);
CREATE INDEX premises_file ON premises(file);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('premises',2);
COMMIT;
