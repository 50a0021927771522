// The Porter stemmer: English words without their endings.
#pragma once

#include <string>
#include <string_view>

namespace troupe::evaluation {

/// The stem of a lower-case ASCII word; words of one or two letters stay as they are. Porter, "An algorithm
/// for suffix stripping" (1980), with the departures of NLTK's default mode, because that is what the
/// rouge-score package stems with: a table of irregular words, "ied" and "ies" of four-letter words, "bli",
/// "alli", "fulli" and "logi" in step 2, and a vowel-consonant word counting as short. Pure.
std::string porter_stem(std::string_view word);

}  // namespace troupe::evaluation
