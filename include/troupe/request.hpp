// What a caller asks of a model, in no provider's words.
#pragma once

#include <troupe/time.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe {

/// Text that is valid JSON. A distinct type, so that plain text and JSON are never mixed up.
struct JsonText {
  std::string text;
  friend bool operator==(const JsonText&, const JsonText&) = default;
};

struct TextPart {
  std::string text;
  /// Everything up to and including this part may be cached by the provider.
  bool cache_point = false;
  friend bool operator==(const TextPart&, const TextPart&) = default;
};
struct ImagePart {
  /// "image/png", "image/jpeg", "image/gif" or "image/webp".
  std::string media_type;
  /// The raw bytes; dialects encode them.
  std::string bytes;
  friend bool operator==(const ImagePart&, const ImagePart&) = default;
};
struct ToolUsePart {
  std::string id;
  std::string name;
  /// The arguments; "{}" when there are none.
  JsonText input;
  /// Opaque; Gemini's thoughtSignature. Must be echoed unchanged when the tool turn continues.
  std::string signature;
  friend bool operator==(const ToolUsePart&, const ToolUsePart&) = default;
};
struct ToolResultPart {
  std::string tool_use_id;
  std::string text;
  bool is_error = false;
  friend bool operator==(const ToolResultPart&, const ToolResultPart&) = default;
};
/// A model's visible reasoning. `signature` must be echoed unchanged when a tool turn continues. A part with
/// neither text nor redacted is the signature of the part before it.
struct ReasoningPart {
  std::string text;
  std::string signature;
  /// Reasoning the provider shows only encrypted (base64), to be echoed unchanged; then `text` is empty.
  std::string redacted;
  friend bool operator==(const ReasoningPart&, const ReasoningPart&) = default;
};
using Part = std::variant<TextPart, ImagePart, ToolUsePart, ToolResultPart, ReasoningPart>;

enum class Role { system, user, assistant };

struct Message {
  Role role = Role::user;
  std::vector<Part> parts;
  friend bool operator==(const Message&, const Message&) = default;
};

struct ToolSpec {
  /// 1 to 64 characters of [A-Za-z0-9_-].
  std::string name;
  std::string description;
  /// JSON Schema of the arguments.
  JsonText input_schema;
  friend bool operator==(const ToolSpec&, const ToolSpec&) = default;
};

enum class ToolChoice { automatic, any, none };

struct Sampling {
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::vector<std::string> stop;
  std::optional<std::int64_t> seed;
  friend bool operator==(const Sampling&, const Sampling&) = default;
};

/// The answer must be JSON that satisfies `schema`.
struct ResponseSchema {
  std::string name;
  JsonText schema;
  friend bool operator==(const ResponseSchema&, const ResponseSchema&) = default;
};

/// One model call, wherever it will be served. A plain value; freely copied between threads.
struct CompletionRequest {
  /// The product feature this is for: decides queue, hierarchy, budget and cost row. Required.
  std::string feature;
  std::string tenant = "default";
  /// Unit of experiment assignment and stickiness, usually a user or channel id. May be empty.
  std::string subject;

  std::vector<Message> messages;
  std::vector<ToolSpec> tools;
  ToolChoice tool_choice = ToolChoice::automatic;
  /// Not empty: the model must call this tool, whatever tool_choice says.
  std::string forced_tool;
  /// May the model ask for several tools in one answer?
  bool parallel_tools = true;
  Sampling sampling;
  std::optional<ResponseSchema> response_schema;
  /// Upper bound of generated tokens. Always sent: providers reserve it against quotas.
  int output_tokens_max = 1024;
  /// Tokens the model may reason with before it answers; absent: the provider's default. Dialects that know
  /// efforts only get low below 2,048, high from 16,384, else medium.
  std::optional<int> reasoning_tokens_max;

  /// How long from acceptance until the answer is useless. Handed down to every attempt, always shrinking.
  Duration deadline = std::chrono::minutes(2);
  bool stream = true;
  /// Free-form, for traces and the ledger. Never sent to a provider.
  std::map<std::string, std::string> labels;
  friend bool operator==(const CompletionRequest&, const CompletionRequest&) = default;
};

}  // namespace troupe
