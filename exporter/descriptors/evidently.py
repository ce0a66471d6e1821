"""What Evidently's descriptors are called here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EVIDENTLY_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "BeginsWith": "begins_with",
        "Contains": "contains",
        "ContainsLink": "contains_link",
        "DoesNotContain": "does_not_contain",
        "EndsWith": "ends_with",
        "ExactMatch": "exact_match",
        "ExcludesWords": "excludes_words",
        "IncludesWords": "trigger_words",
        "IsValidJSON": "is_valid_json",
        "IsValidPython": "is_valid_python",
        "IsValidSQL": "is_valid_sql",
        "ItemMatch": "item_match",
        "ItemNoMatch": "item_match",
        "JSONMatch": "json_match",
        "JSONSchemaMatch": "json_schema_match",
        "NonLetterCharacterPercentage": "non_letter_ratio",
        "OOV": "out_of_vocabulary_ratio",
        "OOVWordsPercentage": "out_of_vocabulary_ratio",
        "RegExp": "regexp_match",
        "SentenceCount": "sentence_count",
        "Sentiment": "sentiment",
        "TestSummary": "all_of",
        "TextLength": "text_length",
        "TriggerWordsPresence": "trigger_words",
        "TriggerWordsPresent": "trigger_words",
        "WordCount": "word_count",
        "WordMatch": "word_match",
        "WordNoMatch": "word_match",
        "WordsPresence": "trigger_words",
    }
)

_MODEL = "it asks a model: store the score or label that it gives, and list that column under `numerical` or `categorical`"
_OWN = "write your own, with the decorator exporter.descriptor"
INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "ColumnTest": "it is a condition of `all_of`",
        "CustomColumnDescriptor": _OWN,
        "CustomDescriptor": _OWN,
        **dict.fromkeys(
            (
                "BERTScore", "BiasLLMEval", "CompletenessLLMEval", "ContextQualityLLMEval",
                "ContextRelevance", "CorrectnessLLMEval", "DeclineLLMEval", "FaithfulnessLLMEval",
                "HuggingFace", "HuggingFaceModel", "HuggingFaceToxicity",
                "HuggingFaceToxicityModel", "LLMEval", "NegativityLLMEval", "OpenAI",
                "OpenAIPrompting", "PIILLMEval", "SemanticSimilarity", "ToxicityLLMEval",
            ),
            _MODEL,
        ),
    }
)  # of those that are not here: what to do  # fmt: skip
