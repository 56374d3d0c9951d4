"""Small pieces that views are made of: plain text, errors in words, pictures of molecules.

Whatever comes from a visitor's file passes through `plain` before Streamlit sees it, so that it can
neither format the page nor make it load anything.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from app.charts import DARK, LIGHT, Colors
from app.pictures import draw_picture
from app.upload import TooLargeError
from cmim_chem.errors import CmimError, InputError

logger = logging.getLogger(__name__)

_SERVER_TROUBLE = (
    "The model on this server could not be loaded. Whoever runs it finds the reason in the "
    "server's log."
)
_UNEXPECTED = (
    "Something unexpected went wrong here, not with your molecules. The details are in the "
    "server's log; reload the page to start over."
)
_CARD = (130, 96)  # pixels; two cards stand side by side on a phone
_CARDS = 5  # side by side where there is room
_LONGEST_NAME = 60


def plain(text: object, longest: int = 300) -> str:
    """Escape a text from outside, so that Markdown shows it as it stands.

    Parameters
    ----------
    text : object
        Anything a file may hold.
    longest : int
        Characters kept.

    Returns
    -------
    str
        One line, every sign that Markdown could read escaped.
    """
    words = " ".join(str(text).split())
    if len(words) > longest:
        words = words[: longest - 1] + "…"
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", words)
    # Addresses become links even without a sign of Markdown; an invisible joiner prevents it.
    return re.sub(r"(?i)(\\:(?=\\/\\/)|\bw(?=ww\\\.)|\\@)", "\\1\u2060", escaped)


@contextmanager
def problems_in_words() -> Iterator[None]:
    """Show any trouble inside the block as a sentence, never as a traceback or a path."""
    try:
        yield
    except TooLargeError as error:
        show_refusal(str(error), error.command)
    except InputError as error:
        show_refusal(str(error))
    except CmimError:
        # Messages about artifacts name folders of the server.
        logger.exception("the model cannot be used")
        st.error(_SERVER_TROUBLE, icon=":material/error:")
    except Exception:
        logger.exception("the page failed")
        st.error(_UNEXPECTED, icon=":material/error:")


def show_refusal(message: str, command: str = "") -> None:
    """Say why an input was not taken, and how to score it all the same."""
    st.error(plain(message, longest=600), icon=":material/error:")
    if command:
        st.code(command, language="bash", wrap_lines=True)


def is_page_dark() -> bool:
    """Whether the visitor sees the page in dark colors."""
    return st.context.theme.type == "dark"


def page_colors() -> Colors:
    """Colors of charts on the page as the visitor sees it."""
    return DARK if is_page_dark() else LIGHT


def show_picture(smiles: str, size: tuple[int, int], alt: str) -> None:
    """Draw a molecule; where it cannot be drawn, say so in the same place."""
    picture = draw_picture(smiles, *size, dark=is_page_dark())
    if picture is None:
        st.caption("no picture")
    else:
        st.image(picture, width=size[0], alt=alt)


def show_gallery(heading: str, neighbors: pd.DataFrame) -> None:
    """Show known molecules side by side, as many per line as there is room.

    Parameters
    ----------
    heading : str
        What they are.
    neighbors : pandas.DataFrame
        Nearest first; columns name, smiles, chembl_id, source, cosine, tanimoto.
    """
    st.subheader(heading, anchor=False)
    if neighbors.empty:
        st.caption("None found.")
        return
    with st.grid(columns=_CARDS, min_column_width=_CARD[0] + 14):
        for neighbor in neighbors.to_dict("records"):
            _show_card({str(key): value for key, value in neighbor.items()})


def show_card(smiles: str, title: str, words: Sequence[str], alt: str) -> None:
    """Show one molecule with what is said of it.

    Parameters
    ----------
    smiles : str
        To be drawn.
    title : str
        Its name, or another word for it; any text.
    words : sequence of str
        Lines beneath; not from a visitor.
    alt : str
        The picture in words.
    """
    with st.container(border=True, height="stretch", gap="xxsmall"):
        with st.container(horizontal_alignment="center"):
            show_picture(smiles, _CARD, alt=alt)
        st.markdown(f"**{plain(title, _LONGEST_NAME)}**")
        st.caption("  \n".join(words))


def _show_card(neighbor: dict[str, object]) -> None:
    # Molecules of ZINC have no name here: they are called by where they come from.
    name = next(filter(None, (_text(neighbor[key]) for key in ("name", "chembl_id", "source"))))
    words = [f"cosine {neighbor['cosine']:.2f}", f"Tanimoto {neighbor['tanimoto']:.2f}"]
    show_card(str(neighbor["smiles"]), name, words, alt=f"Structure of {name}")


def _text(cell: object) -> str:
    """Text of a cell, empty if it is missing."""
    return cell.strip() if isinstance(cell, str) else ""
