"""A visitor of the app without a browser: speaks Streamlit's own protocol over a web socket.

For `benchmarks.app_load`: twenty browsers would measure themselves. What a visitor does is what the
page offers: paste text and press Predict, or drop a file; what it gets are the page's own elements.
"""

from __future__ import annotations

import asyncio
import io
import time
import urllib.request
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from types import TracebackType

import pandas as pd
import pyarrow as pa
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

_TOKEN = "_streamlit_xsrf"
_LARGEST = 2**28  # bytes of one message: a table carries its pictures


@dataclass
class Page:
    """What is on the page after a run.

    Attributes
    ----------
    elements : list of Element
        In the order of their arrival.
    table_at : float
        When the first table came, by `time.monotonic`; 0 if none did.
    """

    elements: list[Element] = field(default_factory=list)
    table_at: float = 0.0

    def find(self, kind: str, label: str = "") -> Element:
        """First element of a kind, with a label if one is given."""
        for one in self.elements:
            if one.WhichOneof("type") == kind:
                part = getattr(one, kind)
                if not label or part.label == label:
                    return part
        raise LookupError(f"no {kind} {label!r} on the page")

    def texts(self) -> list[str]:
        """Everything written in Markdown, and every error."""
        kinds = {"markdown", "alert"}
        found = (one for one in self.elements if one.WhichOneof("type") in kinds)
        return [getattr(one, one.WhichOneof("type")).body for one in found]

    def table(self) -> pd.DataFrame:
        """The first table, without the upper line of its headings."""
        data = self.find("dataframe").arrow_data.data
        return pa.ipc.open_stream(io.BytesIO(data)).read_pandas().droplevel(0, axis=1)


class Visitor:
    """One session; to be used in an `async with` block.

    Parameters
    ----------
    address : str
        Of the app, such as http://127.0.0.1:8501.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket: ClientConnection | None = None
        self._session = ""

    async def __aenter__(self) -> Visitor:
        place = self._address.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await connect(place, subprotocols=["streamlit"], max_size=_LARGEST)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def open(self) -> Page:
        """Load the page."""
        message = BackMsg()
        message.rerun_script.query_string = ""
        return await self._run(message)

    async def paste(self, page: Page, text: str) -> Page:
        """Paste molecules and press Predict."""
        message = BackMsg()
        states = message.rerun_script.widget_states.widgets
        states.add(id=page.find("text_area").id, string_value=text)
        states.add(id=page.find("button", "Predict").id, trigger_value=True)
        return await self._run(message)

    async def drop(self, page: Page, name: str, data: bytes) -> Page:
        """Drop a file."""
        asked = BackMsg()
        asked.file_urls_request.request_id = "1"
        asked.file_urls_request.file_names.append(name)
        asked.file_urls_request.session_id = self._session
        await self._send(asked)
        while not (message := await self._receive()).HasField("file_urls_response"):
            pass
        urls = message.file_urls_response.file_urls[0]
        await asyncio.to_thread(self._put, urls.upload_url, name, data)
        dropped = BackMsg()
        state = dropped.rerun_script.widget_states.widgets.add(id=page.find("file_uploader").id)
        file = state.file_uploader_state_value.uploaded_file_info.add(
            file_id=urls.file_id, name=name, size=len(data)
        )
        file.file_urls.CopyFrom(urls)
        return await self._run(dropped)

    def _put(self, place: str, name: str, data: bytes) -> None:
        border = "----cmim"
        about = f'Content-Disposition: form-data; name="{name}"; filename="{name}"'
        head = f"--{border}\r\n{about}\r\n\r\n"
        body = head.encode() + data + f"\r\n--{border}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={border}"}
        token = self._fetch_token()
        proof = {"Cookie": f"{_TOKEN}={token}", "X-Xsrftoken": token}
        request = urllib.request.Request(self._address + place, body, kind | proof, method="PUT")
        with urllib.request.urlopen(request):
            pass

    def _fetch_token(self) -> str:
        """Streamlit takes a file only with the token that it gave as a cookie."""
        with urllib.request.urlopen(f"{self._address}/_stcore/health") as answer:
            cookies = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        return cookies[_TOKEN].value

    async def _run(self, message: BackMsg) -> Page:
        """Send a message and gather elements until the page is done."""
        await self._send(message)
        page = Page()
        while True:
            answer = await self._receive()
            if answer.HasField("new_session"):
                self._session = answer.new_session.initialize.session_id
            elif answer.HasField("delta") and answer.delta.HasField("new_element"):
                page.elements.append(answer.delta.new_element)
                if answer.delta.new_element.HasField("dataframe"):
                    page.table_at = page.table_at or time.monotonic()
            elif answer.WhichOneof("type") == "script_finished":
                return page

    async def _send(self, message: BackMsg) -> None:
        assert self._socket is not None, "open the visitor with `async with`"
        await self._socket.send(message.SerializeToString())

    async def _receive(self) -> ForwardMsg:
        assert self._socket is not None, "open the visitor with `async with`"
        message = ForwardMsg()
        message.ParseFromString(bytes(await self._socket.recv(decode=False)))
        return message
