// Event-stream bytes for fuzzing: checksums set right, and frames made of lines of text.
#pragma once

#include <string>
#include <string_view>

namespace troupe::fuzz {

/// The bytes with the checksums of every frame whose length can be believed set to what they should be.
std::string with_checksums(std::string_view bytes);

/// One frame a line. "TYPE payload": an event; "!TYPE payload": an exception; "?CODE payload": an error;
/// "chunk* payload": a `chunk` event that holds the payload in base64, as InvokeModel's do. "\n" within a
/// payload (backslash, n) stands for a line end when the type is PayloadPart, since containers send SSE.
std::string frames_of_lines(std::string_view lines);

}  // namespace troupe::fuzz
