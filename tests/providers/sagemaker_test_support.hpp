// What the SageMaker tests share: container bytes in frames, and the shared tables' events as bytes.
#pragma once

#include "providers/eventstream.hpp"
#include "tests/providers/codec_support.hpp"

namespace troupe::providers::sagemaker_test {

inline std::string event_frame(const char* type, std::string payload) {
  Frame frame;
  frame.headers = {{":event-type", std::string(type)},
                   {":content-type", std::string("application/octet-stream")},
                   {":message-type", std::string("event")}};
  frame.payload = std::move(payload);
  return encode_frame(frame).value();
}

/// The bytes cut into PayloadParts of `part_bytes`.
inline std::string in_frames(std::string_view bytes, std::size_t part_bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += part_bytes)
    out += event_frame("PayloadPart", std::string(bytes.substr(at, part_bytes)));
  return out;
}

inline std::string exception_frame(const char* type, std::string payload) {
  Frame frame;
  frame.headers = {{":exception-type", std::string(type)},
                   {":content-type", std::string("application/json")},
                   {":message-type", std::string("exception")}};
  frame.payload = std::move(payload);
  return encode_frame(frame).value();
}

}  // namespace troupe::providers::sagemaker_test
