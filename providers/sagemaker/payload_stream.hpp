// A container's stream inside SageMaker's: PayloadParts to bytes to events, and back (WIRE 3).
#pragma once

#include "providers/dialect.hpp"
#include "providers/eventstream.hpp"
#include "providers/serve.hpp"

#include <memory>
#include <optional>

namespace troupe::providers::sagemaker {

/// Joins the payloads of PayloadPart events, which split the container's bytes anywhere, and hands them to
/// the container's own decoder. Exceptions and error frames end the stream with their class; other events are
/// skipped. Whole when the container's stream is.
class PayloadStreamDecoder final : public StreamDecoder {
 public:
  explicit PayloadStreamDecoder(std::unique_ptr<StreamDecoder> container)
      : container_(std::move(container)) {}
  Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) override;
  Result<void> finish(std::vector<StreamEvent>& out) override;

 private:
  Result<void> on_frame(const Frame& frame, std::vector<StreamEvent>& out);

  std::unique_ptr<StreamDecoder> container_;
  FrameDecoder frames_;
  std::optional<Error> failed_;
};

/// Wraps what a container's writer writes, each piece in two parts cut in its middle, as the service too cuts
/// where it likes.
class PayloadStreamWriter final : public StreamWriter {
 public:
  explicit PayloadStreamWriter(std::unique_ptr<StreamWriter> container) : container_(std::move(container)) {}
  std::string write(const StreamEvent& event) override;
  std::string finish() override;
  std::string write_error(const Error& error) override;

 private:
  std::unique_ptr<StreamWriter> container_;
};

}  // namespace troupe::providers::sagemaker
