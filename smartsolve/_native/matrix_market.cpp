// smartsolve._core.read_entries: the lines of a Matrix Market file, each read to its end. A number
// is what C and Fortran write; whatever else is left of a line is an error with its number.
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <version>

#include "entries.hpp"

namespace smartsolve {
namespace {

constexpr Py_ssize_t entries_between_signals = 1 << 16;

bool ends_field(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lines {
 public:
    Lines(const char* begin, const char* end, Py_ssize_t line)
        : at_(begin), end_(end), line_(line) {}

    // To the next line that says something; false at the end of the file.
    bool next_entry() {
        for (;; ++at_, ++line_) {
            skip_blanks();
            if (at_ != end_ && *at_ == '%') at_ = end_of_line();
            if (at_ == end_) return false;
            if (*at_ != '\n') return true;
        }
    }

    bool index(Py_ssize_t size, const char* what, Py_ssize_t& value) {
        if (!integer(value, "a whole number")) return false;
        if (value >= 1 && value <= size) [[likely]]
            return true;
        return fail("%s index %zd is out of range: expected 1 to %zd", what, value, size);
    }

    template <class Integer>
    bool integer(Integer& value, const char* expected) {
        skip_blanks();
        const char* from = at_;
        if (from != end_ && *from == '+' && from + 1 != end_ && is_digit(from[1])) ++from;
        const auto [stop, error] = std::from_chars(from, end_, value);
        if (error == std::errc() && (stop == end_ || ends_field(*stop))) [[likely]] {
            at_ = stop;
            return true;
        }
        if (error == std::errc::result_out_of_range)
            return fail("%R is beyond the range of 64 bits", field().get());
        return fail_at_field(expected);
    }

    bool real(double& value) {
        skip_blanks();
#ifdef __cpp_lib_to_chars
        const char* from = at_;
        if (from != end_ && *from == '+' && from + 1 != end_ && from[1] != '-') ++from;
        const auto [stop, error] = std::from_chars(from, end_, value);
        if (error == std::errc() && (stop == end_ || ends_field(*stop))) [[likely]] {
            at_ = stop;
            return true;
        }
#endif
        return unusual_real(value);
    }

    // Nothing but blanks may follow the last number of an entry.
    bool end_entry(int numbers) {
        skip_blanks();
        if (at_ == end_ || *at_ == '\n') [[likely]]
            return true;
        return fail("expected the end of the line after %d number%s, but found %R", numbers,
                    numbers == 1 ? "" : "s", field().get());
    }

    bool end_of_file(Py_ssize_t count) {
        if (!next_entry()) return true;
        return fail("a line beyond the %zd that the sizes announce: %R", count, field().get());
    }

    bool truncated(Py_ssize_t read, Py_ssize_t count) {
        const bool ends_line = at_[-1] == '\n';  // a header comes before
        line_ -= ends_line;
        return fail("Truncated: the file ends after %zd of %zd entries", read, count);
    }

 private:
    void skip_blanks() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) ++at_;
    }

    const char* end_of_line() const {
        const void* found = std::memchr(at_, '\n', static_cast<size_t>(end_ - at_));
        return found == nullptr ? end_ : static_cast<const char*>(found);
    }

    const char* end_of_field() const {
        const char* stop = at_;
        while (stop != end_ && !ends_field(*stop)) ++stop;
        return stop;
    }

    // What stands here, for a message.
    Object field() const {
        constexpr ptrdiff_t shown = 40;
        const ptrdiff_t length = end_of_field() - at_;
        return Object(PyUnicode_DecodeLatin1(at_, length < shown ? length : shown, nullptr));
    }

    bool fail_at_field(const char* expected) {
        if (at_ == end_ || *at_ == '\n') return fail("expected %s, but the line ends", expected);
        const char* hint = "";
        if (std::memchr(at_, ',', static_cast<size_t>(end_of_field() - at_)) != nullptr)
            hint = "; decimals are set off by a point, numbers by blanks";
        return fail("expected %s, but found %R%s", expected, field().get(), hint);
    }

    // ValueError(text, line), which the reader completes by the file's name.
    template <class... Values>
    bool fail(const char* format, Values... values) {
        const Object text(PyUnicode_FromFormat(format, values...));
        const Object arguments(text ? Py_BuildValue("(On)", text.get(), line_) : nullptr);
        if (arguments) PyErr_SetObject(PyExc_ValueError, arguments.get());
        return false;
    }

    // Fortran's exponents: 1.5D+02, 1.5q2 and, where it has three digits, 1.5+102.
    bool unusual_real(double& value) {
        const char* stop = end_of_field();
        std::string c;
        const char* p = at_;
        if (p != stop && (*p == '+' || *p == '-')) c += *p++;
        const auto take_digits = [&] {
            const char* from = p;
            while (p != stop && is_digit(*p)) c += *p++;
            return p - from;
        };
        ptrdiff_t digits = take_digits();
        if (p != stop && *p == '.') {
            c += *p++;
            digits += take_digits();
        }
        bool is_number = digits > 0;
        if (is_number && p != stop) {
            const bool has_letter = std::strchr("eEdDqQ", *p) != nullptr;
            is_number = has_letter || *p == '+' || *p == '-';
            p += has_letter;
            c += 'e';
            if (p != stop && (*p == '+' || *p == '-')) c += *p++;
            is_number = is_number && take_digits() > 0 && p == stop;
        }
        if (!is_number) {
            c.assign(at_, stop);
            std::string word = c.substr(!c.empty() && (c[0] == '+' || c[0] == '-'));
            for (char& letter : word) letter |= 0x20;
            if (word != "inf" && word != "infinity" && word != "nan")
                return fail_at_field("a number");
        }
        value = PyOS_string_to_double(c.c_str(), nullptr, PyExc_OverflowError);
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return false;
            PyErr_Clear();
            return fail("%R is beyond the range of double precision", field().get());
        }
        at_ = stop;
        return true;
    }

    const char* at_;
    const char* end_;
    Py_ssize_t line_;
};

// One contiguous buffer of Python's, held while it is read or written.
class Buffer {
 public:
    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() {
        if (view_.obj != nullptr) PyBuffer_Release(&view_);
    }
    bool take(PyObject* object, bool writable) {
        return object == Py_None ||
               PyObject_GetBuffer(object, &view_, writable ? PyBUF_CONTIG : PyBUF_CONTIG_RO) == 0;
    }
    bool is_given() const { return view_.obj != nullptr; }
    Py_ssize_t items() const { return view_.len / view_.itemsize; }
    Py_ssize_t itemsize() const { return view_.itemsize; }
    template <class T>
    T* as() const {
        return static_cast<T*>(view_.buf);
    }

 private:
    Py_buffer view_{};
};

struct Entries {
    Lines lines;
    Py_ssize_t count, sizes[2];
    const Buffer *indices[2], *values;

    template <class Index, class Value, int parts>
    bool read() {
        Index* const to[2] = {indices[0]->as<Index>(), indices[1]->as<Index>()};
        Value* value = values->as<Value>();
        for (Py_ssize_t i = 0; i < count; ++i) {
            if (i % entries_between_signals == 0 && PyErr_CheckSignals() < 0) return false;
            if (!lines.next_entry()) return lines.truncated(i, count);
            if (to[0] != nullptr) {
                Py_ssize_t row, column;
                if (!lines.index(sizes[0], "Row", row) || !lines.index(sizes[1], "Column", column))
                    return false;
                to[0][i] = static_cast<Index>(row - 1);
                to[1][i] = static_cast<Index>(column - 1);
            }
            for (int part = 0; part < parts; ++part, ++value) {
                if constexpr (std::is_floating_point_v<Value>) {
                    if (!lines.real(*value)) return false;
                } else if (!lines.integer(*value, "an integer")) {
                    return false;
                }
            }
            if (!lines.end_entry(2 * (to[0] != nullptr) + parts)) return false;
        }
        return lines.end_of_file(count);
    }

    template <class Index>
    bool read(char field) {
        switch (field) {
            case 'p':
                return read<Index, double, 0>();
            case 'r':
                return read<Index, double, 1>();
            case 'c':
                return read<Index, double, 2>();
            case 'i':
                return read<Index, std::int64_t, 1>();
            default:
                return read<Index, std::uint64_t, 1>();
        }
    }
};

}  // namespace

PyObject* read_entries(PyObject*, PyObject* args) {
    PyObject *text, *rows, *columns, *values;
    Py_ssize_t offset, line, m, n, count;
    int field;
    if (!PyArg_ParseTuple(args, "OnnnnnCOOO", &text, &offset, &line, &m, &n, &count, &field, &rows,
                          &columns, &values))
        return nullptr;
    Buffer from, row, column, value;
    if (!from.take(text, false) || !row.take(rows, true) || !column.take(columns, true) ||
        !value.take(values, true))
        return nullptr;
    const Py_ssize_t parts = field == 'p' ? 0 : field == 'c' ? 2 : 1;
    const auto holds = [&](const Buffer& b) { return !b.is_given() || b.items() == count; };
    if (offset < 1 || offset > from.items() || !holds(row) || !holds(column) ||
        row.is_given() != column.is_given() || row.itemsize() != column.itemsize() ||
        value.is_given() != (parts > 0) || !holds(value) ||
        (parts > 0 && value.itemsize() != 8 * parts)) {
        PyErr_SetString(PyExc_SystemError, "read_entries: the arrays do not fit");
        return nullptr;
    }
    const char* begin = from.as<const char>();
    Entries entries{
        {begin + offset, begin + from.items(), line}, count, {m, n}, {&row, &column}, &value};
    return guarded([&]() -> PyObject* {
        const bool done = row.is_given() && row.itemsize() == 4
                              ? entries.read<std::int32_t>(static_cast<char>(field))
                              : entries.read<std::int64_t>(static_cast<char>(field));
        return done ? Py_NewRef(Py_None) : nullptr;
    });
}

}  // namespace smartsolve
