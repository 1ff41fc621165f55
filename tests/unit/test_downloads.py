"""Downloads from a local server that interrupts connections, resumes, sends wrong data and refuses requests."""

import hashlib
import http.server
import io
import lzma
import os
import re
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from gamtune.data.downloads import BLOCK, Download, fetch, part_of
from gamtune.errors import InputError
from gamtune.runtime.environment import cache_folder

CONTENT = {"a.txt": b"alpha\n" * 50_000, "sub/b.txt": b"beta\n" * 1000}


def sha(content):
    return hashlib.sha256(content).hexdigest()


FILES = {name: sha(content) for name, content in CONTENT.items()}


class Server(http.server.ThreadingHTTPServer):
    """Serve ``content``; interrupt each response after the next number of bytes in ``breaks``; support ranges or not."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.breaks, self.ranges, self.requests = dict(CONTENT), [], True, []
        self.chunked = False  # whether responses use chunked encoding instead of a content length
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        requested = self.headers.get("Range")
        self.server.requests.append((self.path, requested))
        content = self.server.content.get(self.path[1:])
        if content is None:
            self.send_error(404, "Not Found")
            return
        begin = int(requested.removeprefix("bytes=").removesuffix("-")) if requested and self.server.ranges else 0
        if begin >= len(content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if begin else 200)
        sent = content[begin:][: self.server.breaks.pop(0) if self.server.breaks else None]
        if self.server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            ended = b"\r\n0\r\n\r\n" if len(sent) == len(content) - begin else b""
            self.wfile.write(f"{len(content) - begin:x}\r\n".encode() + sent + ended)
            return
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GAMTUNE_DATA", raising=False)
    return tmp_path / "cache" / "gamtune" / "set"


def begin_of(request):
    """Return the number of the first byte that a request specifies."""
    return int(request[1].removeprefix("bytes=").removesuffix("-"))


def read(files):
    return {name: path.read_bytes() for name, path in files.items()}


def test_files_are_downloaded_once_for_all_studies(server, cache):
    download = Download("set", FILES, [server.address])
    assert read(fetch(download)) == CONTENT
    assert read(fetch(download)) == CONTENT
    assert [path for path, _ in server.requests] == ["/a.txt", "/sub/b.txt"]
    (cache / "a.txt").write_bytes(b"damaged")
    assert read(fetch(download)) == CONTENT
    assert len(server.requests) == 3
    assert cache_folder() == cache.parent


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_is_resumed(server, ranges):
    server.breaks, server.ranges = [100_000], ranges
    assert read(fetch(Download("set", FILES, [server.address]))) == CONTENT
    assert server.requests[1][0] == "/a.txt"
    assert 100_000 - BLOCK < begin_of(server.requests[1]) <= 100_000


def test_an_interrupted_download_without_content_length_is_resumed(server):
    server.breaks, server.chunked = [100_000], True
    assert read(fetch(Download("set", FILES, [server.address]))) == CONTENT
    assert server.requests[1][0] == "/a.txt"
    assert 100_000 - BLOCK < begin_of(server.requests[1]) <= 100_000


def test_a_partial_download_from_another_address_is_not_resumed(server, cache):
    cache.mkdir(parents=True)
    part_of("http://127.0.0.1:9/a.txt", cache).write_bytes(b"of another mirror")
    assert read(fetch(Download("set", FILES, [server.address]))) == CONTENT
    assert {path.name for path in cache.iterdir()} == {".lock", "a.txt", "sub"}


def test_an_unwritable_cache_is_reported_in_one_line(server, cache, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(
        InputError, match=rf"data.source: set cannot be stored in {cache}: (Not a directory|File exists)"
    ):
        fetch(Download("set", FILES, [server.address]))


def test_a_partial_download_is_kept_for_the_next_run(server, cache):
    server.breaks = [100_000, 50_000, 50_000]
    download = Download("set", FILES, [server.address])
    with pytest.raises(
        InputError, match=r"the connection ended after \d+ bytes; run again to resume the download"
    ) as caught:
        fetch(download)
    kept = int(re.search(r"after (\d+) bytes", str(caught.value))[1])
    assert 200_000 - 3 * BLOCK < kept <= 200_000
    assert not (cache / "a.txt").exists()
    server.requests.clear()
    assert read(fetch(download)) == CONTENT
    assert begin_of(server.requests[0]) == kept


def test_a_complete_download_of_a_killed_run_is_not_repeated(server, cache):
    cache.mkdir(parents=True)
    part_of(f"{server.address}/a.txt", cache).write_bytes(CONTENT["a.txt"])
    assert read(fetch(Download("set", FILES, [server.address]))) == CONTENT
    assert begin_of(server.requests[0]) == len(CONTENT["a.txt"])


def test_a_file_that_changed_between_two_downloads_is_refused_once(server, cache):
    cache.mkdir(parents=True)
    part_of(f"{server.address}/a.txt", cache).write_bytes(b"as it was before")
    with pytest.raises(InputError, match=r"a.txt has unexpected content"):
        fetch(Download("set", FILES, [server.address]))
    assert read(fetch(Download("set", FILES, [server.address]))) == CONTENT


def test_a_file_with_a_wrong_checksum_is_refused_and_deleted(server, cache):
    server.content["a.txt"] = b"something else"
    with pytest.raises(InputError) as caught:
        fetch(Download("set", FILES, [server.address]))
    assert f"/a.txt has unexpected content: its sha256 is {sha(b'something else')[:16]}..., expected" in str(
        caught.value
    )
    assert {path.name for path in cache.iterdir()} == {".lock"}


def test_the_next_mirror_is_tried_after_a_failure(server):
    assert read(fetch(Download("set", FILES, [f"{server.address}/nowhere", server.address]))) == CONTENT


def test_a_missing_network_is_reported_in_one_line_with_the_alternative(server):
    server.content.clear()
    with pytest.raises(InputError) as caught:
        fetch(Download("set", FILES, ["http://127.0.0.1:9/x", server.address]))
    line = str(caught.value)
    assert line.startswith("data.source: set cannot be downloaded: http://127.0.0.1:9/x/a.txt: no connection; ")
    assert (
        "the server answered 404 Not Found; set data.mirror or the variable GAMTUNE_DATA to a folder with the files"
        in line
    )
    assert "\n" not in line


def zipped(content, folder=""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in content.items():
            archive.writestr(f"{folder}{name}", text)
    return file.getvalue()


@pytest.mark.parametrize("nested", [True, False])
def test_files_are_extracted_from_a_zip_archive(server, cache, nested):
    inner = zipped(CONTENT, "A folder/")
    server.content = {"all.zip": zipped({"inner.zip": inner, "about": "x"}) if nested else inner}
    server.breaks = [1000]
    assert read(fetch(Download("set", FILES, [f"{server.address}/all.zip"]))) == CONTENT
    assert {path.name for path in cache.iterdir()} == {".lock", "a.txt", "sub"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (zipped({"a.txt": CONTENT["a.txt"]}), "does not contain sub/b.txt"),
        (zipped({**CONTENT, "a.txt": "no"}), "a.txt in .* has unexpected content: its sha256 is"),
        (b"no zip at all", "File is not a zip file"),
    ],
)
def test_an_unexpected_zip_archive_is_refused(server, cache, content, fault):
    server.content = {"all.zip": content}
    with pytest.raises(InputError, match=fault):
        fetch(Download("set", FILES, [f"{server.address}/all.zip"]))
    assert not list(cache.glob("*.part"))
    assert not (cache / "sub" / "b.txt").exists()


def test_files_are_read_from_a_folder_compressed_or_not(tmp_path, monkeypatch):
    folder = tmp_path / "copies"
    (folder / "set" / "sub").mkdir(parents=True)
    (folder / "set" / "a.txt").write_bytes(CONTENT["a.txt"])
    (folder / "set" / "sub" / "b.txt.xz").write_bytes(lzma.compress(CONTENT["sub/b.txt"]))
    download = Download("set", FILES, [])
    for found in (fetch(download, str(folder)), fetch(download, str(folder / "set"))):
        assert found == {"a.txt": folder / "set/a.txt", "sub/b.txt": folder / "set/sub/b.txt.xz"}
    monkeypatch.setenv("GAMTUNE_DATA", str(folder))
    assert fetch(download)["a.txt"] == folder / "set/a.txt"
    (folder / "set" / "sub" / "b.txt.xz").write_bytes(lzma.compress(CONTENT["sub/b.txt"])[:-20])
    with pytest.raises(InputError, match=r"b.txt.xz is not the expected file of set: .*ended before"):
        fetch(download)
    (folder / "set" / "a.txt").unlink()
    with pytest.raises(InputError, match=rf"GAMTUNE_DATA: {folder} does not contain the file a.txt of set"):
        fetch(download)
    with pytest.raises(InputError, match=rf"data.mirror: {folder} does not contain the file a.txt of set"):
        fetch(download, str(folder))
    assert not cache_folder().exists()


def test_simultaneous_requests_download_a_file_once(server, tmp_path):
    program = (
        "import sys; from gamtune.data.downloads import BLOCK, Download, fetch, part_of\n"
        f"fetch(Download('set', {FILES!r}, [{server.address!r}]))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "workflow")}
    both = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(server.requests) == 2
