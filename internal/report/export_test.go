package report

// BoundedRange is for tests.
var BoundedRange = boundedRange
