"""Detect words before a colon that introduce a sentence and name no speaker: "Warning: the slide is wrong."

WORDS has words that are nobody's name, in the languages of most transcripts. No list is complete, and many words are
names as well ("Will: ..."), so other words are judged by the file: a word introduces a sentence if it occurs once
before a colon, other lines have it in lower case, and its text begins in lower case while no text after another name
does.
"""

import re
from collections.abc import Collection, Iterable

NUMBERED = re.compile(r"(.+?)(?:\s*#?\s*\d{1,3}|\s+[A-Z])")  # "Step 2", "Option B"
LETTERS = re.compile(r"[^\W\d_]+")
LEAST = 2  # lines with other names, for a comparison


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


WORDS = _set(
    # English
    "advice agenda attention background bonus caution caveat challenge clarification conclusion confession "
    "consequence context correction danger definition detail details disclaimer example examples exception "
    "exercise explanation fact facts feedback finally first firstly footnote fourth goal goals headline hint "
    "however hypothesis idea imagine important info information instead instruction instructions issue lastly "
    "lesson level listen look meaning message method myth news next note notes notice number objection "
    "objective observation opinion option outcome outro overview paragraph part phase plan please point points "
    "postscript premise problem proof proposal proposition quotation quote reality reason reasons recap "
    "recommendation remark remember reminder request requirement result results riddle rule rumor rumour "
    "scenario second secondly section sentence slide solution source sources spoiler statement statistics "
    "status step subject suggestion summary surprise takeaway task test theory thesis third thirdly thought "
    "tip tips title tldr topic translation trivia truth update verdict warning "
    # German
    "achtung anmerkung aufgabe ausnahme bedeutung begründung behauptung beispiel beispiele bemerkung bitte "
    "drittens ergebnis erkenntnis erstens fazit folge folgerung folie grund gründe hintergrund hinweis kapitel "
    "kommentar lösung merke methode nachtrag notiz nummer phase problem punkt quelle regel schluss schritt "
    "stichwort tatsache teil thema these tipp titel ursache vorschlag vorsicht warnung wichtig zitat "
    "zusammenfassung zweitens übrigens "
    # French
    "astuce attention avertissement chapitre citation commentaire conseil conséquence contexte deuxièmement "
    "exception exemple exemples hypothèse idée important numéro objectif partie premièrement problème "
    "précision raison rappel remarque règle résultat résumé sujet thème titre étape "
    # Spanish
    "advertencia aviso capítulo cita comentario conclusión consecuencia consejo corrección cuidado definición "
    "diapositiva ejemplo ejemplos etapa excepción hecho importante nota objetivo opción paso primero problema "
    "punto razón recordatorio regla resultado resumen segundo solución tema tercero título "
    # Portuguese
    "atenção capítulo conclusão conselho dica etapa exemplo exemplos lembrete objetivo observação passo resumo "
    "solução "
    # Italian
    "attenzione avvertenza capitolo conclusione consiglio esempi esempio nota obiettivo osservazione passo "
    "problema regola riassunto risultato soluzione "
    # Dutch
    "conclusie hoofdstuk idee oplossing opmerking probleem punt reden samenvatting stap voorbeeld waarschuwing"
)
# In a dialogue these name speakers: if two of them occur, or one occurs repeatedly.
DIALOGUE = _set(
    "answer answers antwoord antwort comment domanda frage pergunta pregunta question questions réponse resposta "
    "respuesta risposta vraag"
)


def introduces(name: str, count: int, others: Collection[str], recurs: int) -> bool:
    """Return whether a name that occurs `count` times before a colon is such a word. `others`: all names in the
    file."""
    words = _words(name)
    if words & DIALOGUE:
        return count < recurs and len({word for other in others for word in _words(other)} & DIALOGUE) < 2
    return bool(words & WORDS)


def _words(name: str) -> set[str]:
    """Return the name, and the word before its number."""
    numbered = NUMBERED.fullmatch(name)
    return {word.strip().casefold() for word in (name, numbered[1] if numbered else name)}


def words_in_lower_case(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in LETTERS.findall(text) if word.islower()}


def begins_lower(text: str) -> bool | None:
    """Return whether the first letter is in lower case; None without a letter that has cases."""
    letters = LETTERS.search(text)
    first = letters[0][0] if letters else ""
    return first.islower() if first.islower() or first.isupper() else None
