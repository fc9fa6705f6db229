
(function () {
  var steps = { 37: -1, 38: -1, 39: 1, 40: 1 };
  document.addEventListener("keydown", function (e) {
    var step = steps[e.keyCode];
    if (!step || e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) { return; }
    var all = document.querySelectorAll("a[href], button");
    var at = Array.prototype.indexOf.call(all, document.activeElement);
    var next = at < 0 ? all[step > 0 ? 0 : all.length - 1] : all[at + step];
    if (next) { next.focus(); e.preventDefault(); }
  });
})();
