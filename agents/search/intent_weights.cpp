// Made by tools/fit_intent.py: how much a word speaks for each intent.
#include "agents/search/intent.hpp"

#include <algorithm>
#include <array>

namespace troupe::search {
namespace {

constexpr std::array<WordWeights, 160> kIntentWords = {{
    {"#fact", {-0.84, 1.21, -0.41}},       {"#many", {-0.82, 0.14, 0.65}},
    {"#number", {-0.31, -0.34, 0.60}},     {"#one", {-1.17, 0.39, 0.82}},
    {"#place", {2.63, -2.13, -1.81}},      {"#two", {-1.09, 0.17, 0.85}},
    {"2", {-0.01, 0.58, -0.57}},           {"2015", {-0.03, -0.46, 0.49}},
    {"4", {-0.02, 0.57, -0.55}},           {"act", {-0.01, 0.48, -0.47}},
    {"address", {-0.00, -0.55, 0.56}},     {"admission", {-0.04, -0.61, 0.66}},
    {"adresse", {-0.01, 0.48, -0.47}},     {"age", {-0.01, 0.67, -0.65}},
    {"amazon", {0.91, -0.26, -0.64}},      {"anaheim", {-0.01, 0.48, -0.47}},
    {"anemia", {-0.01, 0.48, -0.47}},      {"anime", {-0.01, 0.59, -0.57}},
    {"anthem", {-0.02, 0.69, -0.67}},      {"app", {-0.52, -0.39, 0.90}},
    {"ballroom", {-0.01, 0.48, -0.47}},    {"bangkok", {-0.01, 0.48, -0.47}},
    {"bloomberg", {0.91, -0.31, -0.60}},   {"booking", {-0.36, -0.26, 0.62}},
    {"boyfriend", {-0.01, 0.48, -0.47}},   {"cadaver", {-0.01, 0.48, -0.47}},
    {"caffeine", {-0.01, 0.48, -0.47}},    {"campground", {-0.01, 0.48, -0.47}},
    {"canada", {-0.11, 0.76, -0.65}},      {"career", {-0.08, -0.49, 0.58}},
    {"cause", {-0.01, -0.91, 0.92}},       {"chart", {-0.02, -0.59, 0.61}},
    {"classe", {-0.03, -0.46, 0.49}},      {"cnn", {0.69, -0.23, -0.47}},
    {"college", {-0.01, 0.50, -0.49}},     {"congress", {-0.01, 0.48, -0.47}},
    {"corporation", {-0.01, 0.48, -0.47}}, {"coupon", {-0.03, -0.53, 0.57}},
    {"coverage", {-0.01, 0.48, -0.47}},    {"dad", {-0.02, 0.69, -0.67}},
    {"degree", {-0.01, 0.48, -0.47}},      {"delhi", {-0.02, 0.61, -0.59}},
    {"delivery", {-0.03, -0.52, 0.55}},    {"dentistry", {-0.02, 0.52, -0.51}},
    {"dialect", {-0.01, 0.48, -0.47}},     {"discount", {-0.03, -0.72, 0.75}},
    {"dog", {-0.04, 0.52, -0.48}},         {"download", {-0.05, -0.93, 0.98}},
    {"dublin", {-0.01, 0.59, -0.57}},      {"ebay", {0.52, -0.14, -0.38}},
    {"engine", {-0.01, 0.59, -0.57}},      {"event", {-0.06, -0.73, 0.79}},
    {"fact", {-0.04, -1.17, 1.20}},        {"film", {-0.03, -0.46, 0.48}},
    {"final", {-0.01, -0.60, 0.62}},       {"florida", {-0.01, 0.48, -0.47}},
    {"food", {-0.05, -0.63, 0.68}},        {"football", {-0.02, 0.50, -0.49}},
    {"forum", {-0.48, -0.15, 0.64}},       {"foundation", {-0.03, 0.64, -0.61}},
    {"front", {-0.33, 0.74, -0.42}},       {"function", {-0.01, 0.59, -0.57}},
    {"groupon", {1.29, -0.77, -0.52}},     {"gui", {-0.01, 0.48, -0.47}},
    {"headquarter", {-0.01, 0.56, -0.55}}, {"history", {-0.05, -1.16, 1.19}},
    {"hour", {-0.03, 0.57, -0.53}},        {"house", {-0.05, 0.95, -0.90}},
    {"husband", {-0.01, 0.50, -0.49}},     {"hydroxide", {-0.02, 0.62, -0.60}},
    {"image", {-0.07, -0.82, 0.89}},       {"imdb", {0.81, -0.23, -0.57}},
    {"intolerance", {-0.01, 0.48, -0.47}}, {"iq", {-0.01, 0.48, -0.47}},
    {"jaipur", {-0.01, 0.48, -0.47}},      {"jamaica", {-0.01, 0.48, -0.47}},
    {"japan", {-0.04, 0.50, -0.46}},       {"limited", {-0.01, 0.59, -0.57}},
    {"literature", {-0.01, 0.48, -0.47}},  {"location", {-0.00, -0.52, 0.52}},
    {"lyric", {-0.05, -0.68, 0.73}},       {"manor", {-0.01, 0.48, -0.47}},
    {"map", {-0.04, -0.52, 0.57}},         {"menu", {-0.07, -0.84, 0.92}},
    {"metabolism", {-0.01, 0.48, -0.47}},  {"mom", {-0.01, 0.48, -0.47}},
    {"monument", {-0.01, 0.48, -0.47}},    {"movie", {-0.14, -1.08, 1.15}},
    {"music", {-0.04, -0.58, 0.62}},       {"name", {-0.05, 0.79, -0.74}},
    {"new", {-0.24, -0.55, 0.76}},         {"nickname", {-0.01, 0.48, -0.47}},
    {"north", {-0.01, 0.48, -0.47}},       {"now", {-0.03, -0.48, 0.51}},
    {"number", {-0.03, 0.96, -0.94}},      {"nurse", {-0.01, 0.48, -0.47}},
    {"nyc", {-0.06, -0.43, 0.49}},         {"offer", {-0.03, -0.47, 0.50}},
    {"office", {-0.04, 0.62, -0.58}},      {"online", {-0.17, -0.45, 0.62}},
    {"operator", {-0.01, 0.48, -0.47}},    {"otc", {-0.01, 0.48, -0.47}},
    {"owner", {-0.01, 0.66, -0.65}},       {"page", {-0.32, 0.57, -0.25}},
    {"pantip", {0.91, -0.31, -0.60}},      {"pari", {-0.03, 0.49, -0.47}},
    {"ph", {-0.01, 0.48, -0.47}},          {"physic", {-0.01, 0.48, -0.47}},
    {"point", {-0.02, 0.72, -0.69}},       {"portland", {-0.01, 0.55, -0.53}},
    {"post", {-0.02, -0.47, 0.49}},        {"postcode", {-0.01, 0.71, -0.69}},
    {"product", {-0.03, 0.49, -0.47}},     {"promo", {-0.02, -1.03, 1.05}},
    {"protein", {-0.01, 0.48, -0.47}},     {"purpose", {-0.02, 0.63, -0.61}},
    {"quote", {-0.08, -0.52, 0.60}},       {"rate", {-0.02, -0.55, 0.57}},
    {"record", {-0.03, -0.49, 0.52}},      {"result", {-0.03, -0.57, 0.60}},
    {"review", {0.54, -0.96, 0.43}},       {"sale", {-0.23, -0.36, 0.59}},
    {"san", {-0.03, 0.68, -0.66}},         {"schedule", {-0.09, -0.43, 0.52}},
    {"scholarship", {-0.03, -0.47, 0.50}}, {"school", {-0.16, 0.54, -0.38}},
    {"shoe", {-0.05, -0.46, 0.51}},        {"show", {-0.04, -0.53, 0.57}},
    {"sibling", {-0.01, 0.48, -0.47}},     {"sign", {-0.25, 0.75, -0.50}},
    {"singapore", {-0.05, 0.66, -0.60}},   {"size", {-0.01, 0.65, -0.64}},
    {"skin", {-0.01, 0.59, -0.57}},        {"song", {-0.05, -0.64, 0.70}},
    {"sport", {-0.03, -0.51, 0.54}},       {"stadium", {-0.05, 0.54, -0.49}},
    {"stage", {-0.01, 0.49, -0.48}},       {"star", {-0.02, 0.58, -0.55}},
    {"stat", {-0.03, 0.64, -0.61}},        {"suit", {-0.01, 0.48, -0.47}},
    {"syndrome", {-0.02, 0.74, -0.72}},    {"synonym", {-0.03, 0.89, -0.87}},
    {"syntax", {-0.01, 0.48, -0.47}},      {"ticket", {-0.09, -0.50, 0.59}},
    {"time", {-0.02, -0.47, 0.50}},        {"to", {-0.10, -0.80, 0.90}},
    {"today", {-0.04, -0.53, 0.57}},       {"tokyo", {-0.02, 0.69, -0.67}},
    {"tour", {-0.06, -0.76, 0.83}},        {"training", {-0.03, -0.49, 0.52}},
    {"translation", {-0.04, -0.53, 0.57}}, {"tutorial", {-0.03, -0.47, 0.50}},
    {"twin", {-0.01, 0.48, -0.47}},        {"twitter", {1.40, -0.44, -0.95}},
    {"value", {-0.01, 0.55, -0.54}},       {"video", {-0.09, -0.63, 0.73}},
    {"weather", {-0.01, -0.86, 0.88}},     {"wiki", {1.74, -0.74, -1.36}},
    {"winner", {-0.04, 0.71, -0.67}},      {"york", {-0.06, 0.90, -0.84}},
}};

}  // namespace

std::span<const WordWeights> intent_words() { return kIntentWords; }

bool is_place_cue(std::string_view word) {
  static constexpr std::string_view cues[] = {
      "account",   "amazon",     "app",       "blog",        "booking", "com",      "dashboard",
      "ebay",      "expedia",    "facebook",  "forum",       "github",  "google",   "home",
      "homepage",  "imdb",       "instagram", "intranet",    "link",    "linkedin", "log",
      "login",     "net",        "netflix",   "official",    "online",  "org",      "page",
      "pinterest", "portal",     "quizlet",   "reddit",      "sign",    "signin",   "site",
      "snapchat",  "soundcloud", "spotify",   "tripadvisor", "tumblr",  "twitter",  "url",
      "webmail",   "website",    "wiki",      "wikipedia",   "www",     "yelp",     "youtube"};
  return std::ranges::binary_search(cues, word);
}

bool is_fact_cue(std::string_view word) {
  static constexpr std::string_view cues[] = {
      "address",   "age",        "area",     "author",      "birth",       "birthday",      "born",
      "capital",   "cast",       "cause",    "ceo",         "coach",       "code",          "color",
      "contact",   "cost",       "currency", "date",        "daughter",    "death",         "definition",
      "depth",     "died",       "director", "distance",    "dosage",      "effect",        "fact",
      "father",    "fee",        "formula",  "founder",     "headquarter", "height",        "history",
      "hour",      "husband",    "language", "length",      "location",    "manager",       "married",
      "meaning",   "mother",     "number",   "opening",     "origin",      "owner",         "parent",
      "phone",     "population", "postcode", "president",   "price",       "pronunciation", "rate",
      "rating",    "release",    "released", "religion",    "requirement", "result",        "salary",
      "score",     "shape",      "side",     "size",        "son",         "speed",         "spouse",
      "structure", "symptom",    "team",     "temperature", "time",        "treatment",     "type",
      "use",       "value",      "weather",  "weight",      "width",       "wife",          "worth",
      "year",      "zip"};
  return std::ranges::binary_search(cues, word);
}

std::array<double, 3> intent_bias() { return {-1.32, 0.41, 0.94}; }

}  // namespace troupe::search
