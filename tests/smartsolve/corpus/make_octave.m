% The files octave-*.mat, by Octave 7.3.0 (Debian 12): octave-cli make_octave.m
A = [4 1 0; 2 5 1; 0 1 3]; Z = A + 1i * eye(3); S = sparse(A); SZ = sparse(Z);
B = A > 1; F = single(A); FZ = single(Z); v = (1:3)'; s = 2.5; R = 1:5; D = diag([1 2 3]);
P = eye(3)(:, [2 1 3]); E = zeros(0, 3); ES = sparse(3, 2); N = reshape(1:8, 2, 2, 2);
I8 = int8(A); I16 = int16(A); I32 = int32(A); I64 = int64(A); U8 = uint8(A); U64 = uint64(A);
X = complex([Inf 1; 0 1], [1 0; -Inf 2]);
words = "words"; cells = {1, 2}; record.field = 1; L = sparse(B); whole = sparse(true(2));
save -v4 octave-v4.mat A Z S SZ F FZ v s R D P E ES X words
save -v6 octave-v6.mat A Z S SZ B F FZ v s R D P E ES N I8 I16 I32 I64 U8 U64 X words cells record
save -v7 octave-v7.mat A Z S SZ B F FZ v s R D P E ES N I8 I16 I32 I64 U8 U64 X words cells record
save -hdf5 octave-hdf5.mat A Z S SZ B F v s R D P E ES N I8 I16 I32 I64 U8 U64 X L words cells record
save -v6 octave-sparse-logical-v6.mat whole
save -v7 octave-sparse-logical-v7.mat L
save -text octave-text.mat A
save -binary octave-binary.mat A
warning("off"); save -v4 octave-int8-v4.mat I8
try, save -hdf5 octave-half-hdf5.mat FZ, end
