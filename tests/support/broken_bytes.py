"""Files of strangers: valid ones with a few things cut out, doubled, exchanged or put in."""

from __future__ import annotations

from hypothesis import strategies as st

TOKENS = (
    b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\n", b"\r", b"\t", b": ", b"- ", b"? ", b"{", b"}", b"[", b"]", b",", b'"',
    b"'", b"#", b"|", b">", b"%", b"@", b"`", b"&a ", b"*a", b"<<: ", b"---\n", b"...\n", b"!!int ", b"!!binary x",
    b"!!set {a}", b"!!timestamp 2026-99-99", b"!!python/object/apply:os.system [id]", b"null", b"true", b"1e999",
    b"-1e-999", b".nan", b".inf", b"NaN", b"Infinity", b"0x1F", b"010", b"1:30", b"1_0", b"9" * 400, b"9" * 5000,
    b"[" * 200, b"{a: " * 100, b"\\u0000", b"\\ud800", b"../../../etc/passwd", b"$(id)", "ä\u2028\u0085".encode(),
)  # fmt: skip


@st.composite
def mutants(draw: st.DrawFn, valid: bytes) -> bytes:
    """The file after one to six such changes, each at any place; now and then anything at all."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=200))
    data = valid
    for _change in range(draw(st.integers(1, 6))):
        at, length = draw(st.integers(0, len(data))), draw(st.sampled_from((0, 1, 2, 7, 40, 300)))
        piece = data[at : at + length]
        put = draw(st.sampled_from((b"", piece * 2, b"\n".join((piece, piece)))) | st.sampled_from(TOKENS))
        data = data[:at] + put + data[at + length :]
    return data
