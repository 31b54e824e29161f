#include "catalog/csv_text.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace iotstream::catalog {
namespace {

// 0x80 to 0x9F as in the WHATWG Encoding Standard's windows-1252; the five that Windows leaves out stay control characters.
constexpr std::array<char16_t, 32> windows_1252 = {0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d,   0x017d, 0x8f,
                                                   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

/// What a first byte asks for: how many bytes follow, and the bounds of the next (Unicode 15, table 3-7).
struct Lead {
  unsigned follow = 0;  ///< 0: no first byte of a sequence
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {1, 0x80, 0xbf};
  if (byte == 0xe0) return {2, 0xa0, 0xbf};
  if (byte == 0xed) return {2, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {2, 0x80, 0xbf};
  if (byte == 0xf0) return {3, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {3, 0x80, 0xbf};
  if (byte == 0xf4) return {3, 0x80, 0x8f};
  return {};
}

/// Bytes of the whole sequence at the begin of `text`; 0: none stands there.
std::size_t sequence_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const Lead lead = lead_of(first);
  if (lead.follow == 0 || text.size() <= lead.follow) return 0;
  for (unsigned i = 1; i <= lead.follow; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < (i == 1 ? lead.low : 0x80) || byte > (i == 1 ? lead.high : 0xbf)) return 0;
  }
  return lead.follow + 1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// How well a separator cuts: the rows that have the header's cells (one more is allowed when it is empty), and the header's
/// cells.
struct Fit {
  std::size_t even = 0;
  std::size_t rows = 0;
  std::size_t columns = 0;

  bool better_than(const Fit& other) const {
    const std::size_t mine = even * std::max<std::size_t>(other.rows, 1);
    const std::size_t theirs = other.even * std::max<std::size_t>(rows, 1);
    return mine != theirs ? mine > theirs : columns > other.columns;
  }
};

Fit fit_of(char separator, std::string_view head, bool whole_file) {
  constexpr std::size_t rows_max = 50;
  std::vector<std::size_t> sizes;
  CsvReader reader(separator);
  const auto count = [&](const CsvRow& row) {
    if (!row.problem.empty() || sizes.size() > rows_max) return;
    std::size_t cells = row.cells.size();
    if (!sizes.empty() && cells == sizes[0] + 1 && row.cells.back().text.empty()) --cells;
    sizes.push_back(cells);
  };
  reader.feed(head, count);
  if (whole_file || sizes.empty()) reader.finish(count);  // else the last row may be cut by the end of the sample
  Fit fit;
  if (sizes.empty()) return fit;
  fit.columns = sizes[0];
  fit.rows = sizes.size();
  fit.even = static_cast<std::size_t>(std::count(sizes.begin(), sizes.end(), sizes[0]));
  return fit;
}

}  // namespace

std::string_view name_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::utf8:
      return "utf-8";
    case Encoding::utf8_damaged:
      return "utf-8 with invalid bytes";
    case Encoding::windows_1252:
      return "windows-1252";
  }
  return {};
}

void EncodingCensus::feed(std::string_view chunk) {
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    std::uint64_t eight = 0;
    while (missing_ == 0 && i + 8 <= chunk.size()) {
      std::memcpy(&eight, chunk.data() + i, 8);
      if ((eight & 0x8080808080808080u) != 0) break;
      i += 8;
    }
    if (i >= chunk.size()) return;
    const auto byte = static_cast<unsigned char>(chunk[i]);
    if (missing_ > 0) {
      if (byte >= low_ && byte <= high_) {
        low_ = 0x80;
        high_ = 0xbf;
        if (--missing_ == 0) ++sequences_;
        continue;
      }
      ++broken_;
      missing_ = 0;
    }
    if (byte < 0x80) continue;
    const Lead lead = lead_of(byte);
    if (lead.follow == 0) ++broken_;
    missing_ = lead.follow;
    low_ = lead.low;
    high_ = lead.high;
  }
}

Encoding EncodingCensus::encoding() const {
  if (broken_ == 0 && (missing_ == 0 || sequences_ > 0)) return missing_ == 0 ? Encoding::utf8 : Encoding::utf8_damaged;
  return broken_ + (missing_ > 0 ? 1 : 0) > sequences_ ? Encoding::windows_1252 : Encoding::utf8_damaged;
}

void append_decoded(std::string& out, std::string_view bytes, Encoding encoding) {
  if (encoding == Encoding::utf8) {
    out.append(bytes);
    return;
  }
  for (std::size_t i = 0; i < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (encoding == Encoding::windows_1252) {
      append_utf8(out, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80] : byte);
      ++i;
      continue;
    }
    const std::size_t length = sequence_at(bytes.substr(i));
    if (length == 0)
      append_utf8(out, 0xfffd);
    else
      out.append(bytes.substr(i, length));
    i += std::max<std::size_t>(length, 1);
  }
}

char find_separator(std::string_view head, bool whole_file) {
  char best = ',';
  Fit best_fit;
  for (const char separator : {';', ',', '\t', '|'}) {
    const Fit fit = fit_of(separator, head, whole_file);
    if (fit.columns < 2 || (best_fit.columns > 0 && !fit.better_than(best_fit))) continue;
    best = separator;
    best_fit = fit;
  }
  return best;
}

bool is_missing(std::string_view cell) {
  static constexpr std::array<std::string_view, 16> words = {
      "-", "--", "nan", "null", "na", "n/a", "#n/a", "\\n", "inf", "-inf", "+inf", "infinity", "-infinity", "∞", "-∞", "+∞"};
  constexpr std::size_t longest = 9;
  if (cell.empty()) return true;
  if (cell.size() > longest || (cell[0] >= '0' && cell[0] <= '9')) return false;
  if (cell[0] == '-' && cell.size() > 1 && cell[1] >= '0' && cell[1] <= '9') return false;
  std::array<char, longest> lowered{};
  std::transform(cell.begin(), cell.end(), lowered.begin(), lower);
  return std::find(words.begin(), words.end(), std::string_view(lowered.data(), cell.size())) != words.end();
}

std::string_view trim_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace iotstream::catalog
