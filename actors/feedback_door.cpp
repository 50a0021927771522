// The public door to ratings, over a node or a connection to one.
#include "runtime/json/json.hpp"

#include <troupe/feedback.hpp>

namespace troupe {
namespace {

Json question_of(const AnswerId& answer, const std::string& surface) {
  return {
      {"decision", answer.decision}, {"run", answer.run_id}, {"step", answer.step_key}, {"surface", surface}};
}

template <class Place>
Result<Json> put_question(Place& place, const std::string& verb, const Json& question) {
  auto told = place.ask(verb, JsonText{dump_json(question)});
  if (!told) return std::unexpected(std::move(told.error()));
  return parse_json(told->text);
}

template <class Place>
Result<RatingKept> rate_at(Place& place, const Rating& rating) {
  auto question = question_of(rating.answer, rating.surface);
  question["score"] = rating.score;
  question["rater"] = rating.rater;
  question["note"] = rating.note;
  auto told = put_question(place, "feedback", question);
  if (!told) return std::unexpected(std::move(told.error()));
  return RatingKept{get_bool(*told, "counted"),  get_double(*told, "score"), get_string(*told, "feature"),
                    get_string(*told, "tenant"), get_string(*told, "model"), get_string(*told, "endpoint"),
                    get_string(*told, "arm")};
}

template <class Place>
Result<bool> draw_at(Place& place, const AnswerId& answer, double share, const std::string& surface) {
  auto question = question_of(answer, surface);
  question["share"] = share;
  auto told = put_question(place, "feedback.ask", question);
  if (!told) return std::unexpected(std::move(told.error()));
  return get_bool(*told, "ask");
}

}  // namespace

Result<RatingKept> rate(Node& node, const Rating& rating) { return rate_at(node, rating); }
Result<RatingKept> rate(Client& client, const Rating& rating) { return rate_at(client, rating); }
Result<bool> draw_question(Node& node, const AnswerId& answer, double share, const std::string& surface) {
  return draw_at(node, answer, share, surface);
}
Result<bool> draw_question(Client& client, const AnswerId& answer, double share, const std::string& surface) {
  return draw_at(client, answer, share, surface);
}

}  // namespace troupe
