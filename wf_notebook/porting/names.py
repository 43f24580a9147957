"""Names of Agno 1.x, and of phidata before it: where each is here, or why it stays where it is and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

#: By module there: the room here, and its names; `Old=New` where a name is another one here.
PORTED: dict[str, tuple[str, str]] = {
    "agno.agent": ("wf_notebook", "Agent RunEvent RunResponse"),
    "agno.agent.agent": ("wf_notebook", "Agent RunEvent RunResponse"),
    "agno.workflow": ("wf_notebook", "RunEvent RunResponse Workflow"),
    "agno.workflow.workflow": ("wf_notebook", "RunEvent RunResponse Workflow"),
    "agno.run.response": ("wf_notebook", "RunEvent RunResponse"),
    "agno.utils.log": ("wf_notebook", "logger"),
    "agno.utils.pprint": ("wf_notebook", "apprint_run_response pprint_run_response"),
    "agno.storage.workflow.sqlite": ("wf_notebook.storage", "SqliteWorkflowStorage"),
    "agno.storage.sqlite": ("wf_notebook.storage", "SqliteStorage=SqliteWorkflowStorage"),
    "agno.storage.workflow.postgres": ("wf_notebook.storage", "PostgresWorkflowStorage"),
    "agno.storage.postgres": ("wf_notebook.storage", "PostgresStorage=PostgresWorkflowStorage"),
    "agno.models.anthropic": ("wf_notebook.models", "Claude"),
    "agno.models.anthropic.claude": ("wf_notebook.models", "Claude"),
    "agno.models.cohere": ("wf_notebook.models", "Cohere"),
    "agno.models.cohere.chat": ("wf_notebook.models", "Cohere"),
    "agno.models.deepseek": ("wf_notebook.models", "DeepSeek"),
    "agno.models.deepseek.deepseek": ("wf_notebook.models", "DeepSeek"),
    "agno.models.fireworks": ("wf_notebook.models", "Fireworks"),
    "agno.models.fireworks.fireworks": ("wf_notebook.models", "Fireworks"),
    "agno.models.google": ("wf_notebook.models", "Gemini"),
    "agno.models.google.gemini": ("wf_notebook.models", "Gemini"),
    "agno.models.groq": ("wf_notebook.models", "Groq"),
    "agno.models.groq.groq": ("wf_notebook.models", "Groq"),
    "agno.models.huggingface": ("wf_notebook.models", "HuggingFace"),
    "agno.models.huggingface.huggingface": ("wf_notebook.models", "HuggingFace"),
    "agno.models.mistral": ("wf_notebook.models", "MistralChat"),
    "agno.models.mistral.mistral": ("wf_notebook.models", "MistralChat"),
    "agno.models.ollama": ("wf_notebook.models", "Ollama"),
    "agno.models.ollama.chat": ("wf_notebook.models", "Ollama"),
    "agno.models.openai": ("wf_notebook.models", "OpenAIChat OpenAILike"),
    "agno.models.openai.chat": ("wf_notebook.models", "OpenAIChat"),
    "agno.models.openai.like": ("wf_notebook.models", "OpenAILike"),
    "agno.models.openrouter": ("wf_notebook.models", "OpenRouter"),
    "agno.models.openrouter.openrouter": ("wf_notebook.models", "OpenRouter"),
    "agno.models.together": ("wf_notebook.models", "Together"),
    "agno.models.together.together": ("wf_notebook.models", "Together"),
    "agno.models.xai": ("wf_notebook.models", "xAI"),
    "agno.models.xai.xai": ("wf_notebook.models", "xAI"),
    "phi.agent": ("wf_notebook", "Agent RunEvent RunResponse"),
    "phi.agent.agent": ("wf_notebook", "Agent RunEvent RunResponse"),
    "phi.workflow": ("wf_notebook", "RunEvent RunResponse Workflow"),
    "phi.workflow.workflow": ("wf_notebook", "RunEvent RunResponse Workflow"),
    "phi.run.response": ("wf_notebook", "RunEvent RunResponse"),
    "phi.utils.log": ("wf_notebook", "logger"),
    "phi.utils.pprint": ("wf_notebook", "pprint_run_response"),
    "phi.storage.workflow.sqlite": ("wf_notebook.storage", "SqlWorkflowStorage=SqliteWorkflowStorage"),
    "phi.storage.workflow.postgres": ("wf_notebook.storage", "PgWorkflowStorage=PostgresWorkflowStorage"),
    "phi.model.anthropic": ("wf_notebook.models", "Claude"),
    "phi.model.anthropic.claude": ("wf_notebook.models", "Claude"),
    "phi.model.cohere": ("wf_notebook.models", "CohereChat=Cohere"),
    "phi.model.cohere.chat": ("wf_notebook.models", "CohereChat=Cohere"),
    "phi.model.deepseek": ("wf_notebook.models", "DeepSeekChat=DeepSeek"),
    "phi.model.deepseek.deepseek": ("wf_notebook.models", "DeepSeekChat=DeepSeek"),
    "phi.model.fireworks": ("wf_notebook.models", "Fireworks"),
    "phi.model.fireworks.fireworks": ("wf_notebook.models", "Fireworks"),
    "phi.model.google": ("wf_notebook.models", "Gemini"),
    "phi.model.google.gemini": ("wf_notebook.models", "Gemini"),
    "phi.model.groq": ("wf_notebook.models", "Groq"),
    "phi.model.groq.groq": ("wf_notebook.models", "Groq"),
    "phi.model.huggingface": ("wf_notebook.models", "HuggingFaceChat=HuggingFace"),
    "phi.model.huggingface.hf": ("wf_notebook.models", "HuggingFaceChat=HuggingFace"),
    "phi.model.mistral": ("wf_notebook.models", "MistralChat"),
    "phi.model.mistral.mistral": ("wf_notebook.models", "MistralChat"),
    "phi.model.ollama": ("wf_notebook.models", "Ollama"),
    "phi.model.ollama.chat": ("wf_notebook.models", "Ollama"),
    "phi.model.openai": ("wf_notebook.models", "OpenAIChat OpenAILike"),
    "phi.model.openai.chat": ("wf_notebook.models", "OpenAIChat"),
    "phi.model.openai.like": ("wf_notebook.models", "OpenAILike"),
    "phi.model.openrouter": ("wf_notebook.models", "OpenRouter"),
    "phi.model.openrouter.openrouter": ("wf_notebook.models", "OpenRouter"),
    "phi.model.together": ("wf_notebook.models", "Together"),
    "phi.model.together.together": ("wf_notebook.models", "Together"),
    "phi.model.xai": ("wf_notebook.models", "xAI"),
    "phi.model.xai.xai": ("wf_notebook.models", "xAI"),
}

_NAMES = {
    (module, old): (room, new or old)
    for module, (room, names) in PORTED.items()
    for old, _, new in (name.partition("=") for name in names.split())
}

_NONE = "has no counterpart here"
_EVENT = ("is a class of events since Agno 1.6", "here every event is a RunResponse: RunResponse(content, event=RunEvent.…)")
_LATER = (
    "belongs to the workflows of Agno 2, which are lists of steps",
    "write a class with a run() that does the steps in order",
)
_STEPS = "Condition Loop OnError Parallel Router Step StepInput StepOutput Steps condition loop parallel router step steps types"
_KNOWLEDGE = (_NONE, "it works as it is: give an agent a function that calls its search(…) as a tool")
_STORE = (_NONE, "leave storage= of the agent out: what is kept is the workflow's, in session_state")
_NO_SQL = ("keeps sessions in a database that we have no storage for", "use SqliteWorkflowStorage or DuckDbWorkflowStorage")
_LOG = ("is a function", "import logger, and call {}")

#: What stays: a name, or the beginning of one (the longest counts), why, and what to do. phidata's are spelled as Agno's.
STAYS: dict[str, tuple[str, str]] = {
    "agno": (_NONE, "keep agno installed for it, or write it in plain Python"),
    "agno.agent.AgentKnowledge": _KNOWLEDGE,
    "agno.agent.AgentMemory": (_NONE, "Agent(add_history_to_messages=True) sends what was said; keep the rest in session_state"),
    "agno.agent.AgentSession": (_NONE, "a workflow has sessions: workflow.session, storage.session(id)"),
    "agno.agent.Function": (_NONE, "a plain function is a tool"),
    "agno.agent.Toolkit": ("stays, as a toolkit works as it is", "nothing to do: Agent(tools=[toolkit]) takes it"),
    "agno.api": (_NONE, "leave it out: nothing is sent anywhere"),
    "agno.app": (_NONE, "serve workflow.run(…) by the web framework that you like"),
    "agno.db": ("is a database of Agno 2", "use SqliteWorkflowStorage or DuckDbWorkflowStorage"),
    "agno.document": _KNOWLEDGE,
    "agno.embedder": _KNOWLEDGE,
    "agno.eval": (_NONE, "try answers in tests: wf_notebook.testing has scripted models"),
    "agno.exceptions": (_NONE, "in a tool, raise pydantic_ai.ModelRetry to have the model try again"),
    "agno.knowledge": _KNOWLEDGE,
    "agno.media": (
        "stays: its images are shown where a response has them",
        "send pictures along by agent.run(…, images=path or URL)",
    ),
    "agno.memory": (_NONE, "Agent(add_history_to_messages=True) sends what was said; keep the rest in session_state"),
    "agno.models": (_NONE, "name any model of pydantic-ai, Agent('bedrock:…'), or use OpenAILike(id, base_url=…)"),
    "agno.models.azure": (_NONE, "name it by Agent('azure:…'), with pydantic-ai's environment variables"),
    "agno.models.aws": (_NONE, "name it by Agent('bedrock:…')"),
    "agno.models.message": ("is a message of Agno's", "RunResponse.messages has each as a dict"),
    "agno.models.openai.OpenAIResponses": (_NONE, "name it by Agent('openai-responses:…')"),
    "agno.os": (_NONE, "serve workflow.run(…) by the web framework that you like"),
    "agno.playground": (_NONE, "workflow.form(), or %wf form, is a form to try it by"),
    "agno.reasoning": (_NONE, "choose a model that reasons; its thoughts are in the record"),
    "agno.reranker": _KNOWLEDGE,
    "agno.run": _EVENT,
    "agno.run.agent": ("is of Agno 2", "use RunResponse and RunEvent"),
    "agno.run.response.RunResponseExtraData": (_NONE, "extra_data takes any value"),
    "agno.run.team": (_NONE, "a team's members are called in run(), and each answers with a RunResponse"),
    "agno.storage": _NO_SQL,
    "agno.storage.agent": _STORE,
    "agno.storage.session": (_NONE, "workflow.session, storage.session(id) and storage.run(run_id) are what was kept"),
    "agno.storage.workflow.base": (_NONE, "write a storage by the protocol wf_notebook.storage.WorkflowStorage"),
    "agno.storage.workflow.session": (_NONE, "workflow.session, storage.session(id) and storage.run(run_id) are what was kept"),
    "agno.team": (_NONE, "call its members in run(), several at once by parallel(…)"),
    "agno.tools": ("stays, as a toolkit works as it is", "nothing to do: Agent(tools=[toolkit]) takes it"),
    "agno.tools.Function": (_NONE, "a plain function is a tool"),
    "agno.tools.function": (_NONE, "a plain function is a tool"),
    "agno.tools.decorator": ("is not needed here", "leave the decorator out: a plain function is a tool"),
    "agno.tools.tool": ("is not needed here", "leave the decorator out: a plain function is a tool"),
    "agno.utils.log.log_debug": (_LOG[0], _LOG[1].format("logger.debug(…)")),
    "agno.utils.log.log_error": (_LOG[0], _LOG[1].format("logger.error(…)")),
    "agno.utils.log.log_exception": (_LOG[0], _LOG[1].format("logger.exception(…)")),
    "agno.utils.log.log_info": (_LOG[0], _LOG[1].format("logger.info(…)")),
    "agno.utils.log.log_warning": (_LOG[0], _LOG[1].format("logger.warning(…)")),
    "agno.utils.log.set_log_level_to_debug": (_LOG[0], _LOG[1].format('logger.setLevel("DEBUG")')),
    "agno.utils.log.set_log_level_to_info": (_LOG[0], _LOG[1].format('logger.setLevel("INFO")')),
    "agno.utils.timer": (_NONE, "run.duration says how long a run took; else time.perf_counter()"),
    "agno.vectordb": _KNOWLEDGE,
    "agno.workflow": _EVENT,
    "agno.workflow.v2": _LATER,
    **dict.fromkeys((f"agno.workflow.{name}" for name in _STEPS.split()), _LATER),
    "agno.workflow.WorkflowSession": (_NONE, "workflow.session, storage.session(id) and storage.run(run_id) are what was kept"),
    "agno.workflow.WorkflowStorage": (_NONE, "write a storage by the protocol wf_notebook.storage.WorkflowStorage"),
    "agno.workspace": (_NONE, "leave it out"),
}

#: Events of Agno from 1.6 on, and what they are here.
EVENTS = {
    "run_response_content": "run_response",
    "run_intermediate_response_content": "run_response",
    "memory_update_started": "updating_memory",
    "memory_update_completed": "updating_memory",
}


class Here(NamedTuple):
    """Where a name of Agno's is here, and what it is called."""

    room: str
    name: str


def is_theirs(module: str) -> bool:
    """Return whether a module is of Agno or of phidata.

    >>> [is_theirs(name) for name in ("agno", "phi.agent", "agnostic")]
    [True, True, False]
    """
    return module.partition(".")[0] in {"agno", "phi"}


def here(module: str, name: str) -> Here | None:
    """Return where a name is here, None where it stays.

    >>> here("phi.model.cohere", "CohereChat"), here("agno.team", "Team")
    (Here(room='wf_notebook.models', name='Cohere'), None)
    """
    found = _NAMES.get((module, name))
    return found and Here(*found)


def why(name: str) -> tuple[str, str]:
    """Return why a dotted name stays where it is, and what to do about it.

    >>> why("phi.tools.duckduckgo.DuckDuckGo")
    ('stays, as a toolkit works as it is', 'nothing to do: Agent(tools=[toolkit]) takes it')
    """
    beginning = _spelled_as_agno(name)
    while beginning not in STAYS:
        beginning = beginning.rpartition(".")[0]
    return STAYS[beginning]


def is_of_agno_2(name: str) -> bool:
    """Return whether a dotted name belongs to the workflows of Agno 2.

    >>> is_of_agno_2("agno.workflow.Step"), is_of_agno_2("agno.workflow.Workflow")
    (True, False)
    """
    return why(name) == _LATER


def _spelled_as_agno(name: str) -> str:
    if name.partition(".")[0] != "phi":
        return name
    name = f"agno{name[len('phi') :]}"
    return name.replace("agno.model.", "agno.models.", 1)
