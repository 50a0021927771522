// What tests of the simulated clouds share: an endpoint, a question, and a client's reading of the response.
#pragma once

#include "providers/dialect.hpp"
#include "providers/simulator/simulator.hpp"
#include "runtime/base/clock.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <vector>

namespace troupe::providers::simulator {

using config::Fault;
using config::FaultKind;

inline const Instant kStart{std::chrono::hours(1)};
inline const WallTime kWall{1'700'000'000'000};

inline config::SimulatedEndpoint cloud(std::string name, std::string dialect) {
  config::SimulatedEndpoint endpoint;
  endpoint.name = std::move(name);
  endpoint.dialect = std::move(dialect);
  return endpoint;
}

inline CompletionRequest question(bool stream = true) {
  CompletionRequest request;
  Message message;
  std::string text;
  for (int i = 0; i < 24; ++i)
    text += fmt::format("[m{}] ann: topic{} number{} of the release plan\n", i, i % 5, i);
  message.parts.push_back(TextPart{.text = text});
  request.messages.push_back(std::move(message));
  request.stream = stream;
  return request;
}

inline http::Request wire(const config::SimulatedEndpoint& endpoint, const CompletionRequest& request) {
  Target target{.model = "m-1",
                .base_path = "/" + endpoint.name,
                .host = "127.0.0.1:1",
                .project = "p",
                .location = endpoint.region};
  auto encoded = find_dialect(endpoint.dialect)->encode(request, target);
  return encoded ? *encoded : http::Request{};
}

struct Heard {
  int status = 0;
  std::optional<Completion> completion;
  std::optional<Error> error;
  Ending ending = Ending::complete;
};

/// What a client of that dialect makes of the response.
inline Heard hear(const std::string& dialect_name, const SimulatedResponse& response) {
  Heard heard{.status = response.head.status, .ending = response.ending};
  const auto* dialect = find_dialect(dialect_name);
  std::string body;
  for (const auto& piece : response.body) body += piece.bytes;
  if (heard.status != 200) {
    heard.error = dialect->classify({heard.status, response.head.headers, body}, kWall);
    return heard;
  }
  auto decoder = dialect->stream_decoder();
  std::vector<StreamEvent> events;
  auto fed = decoder->feed(body, events);
  auto ended = fed ? decoder->finish(events) : fed;
  CompletionBuilder builder;
  for (const auto& event : events) builder.add(event);
  if (ended) {
    heard.completion = std::move(builder).take();
  } else {
    heard.error = ended.error();
  }
  return heard;
}

inline Simulator simulator_of(config::SimulatorConfig config) {
  auto made = Simulator::make(std::move(config), kStart);
  EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().what);
  return std::move(*made);
}

}  // namespace troupe::providers::simulator
