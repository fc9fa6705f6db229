
(function () {
  var steps = { 37: -1, 38: -1, 39: 1, 40: 1 };
  document.addEventListener("keydown", function (e) {
    var step = steps[e.keyCode];
    if (!step || e.altKey || e.ctrlKey || e.metaKey || e.shiftKey) { return; }
    var now = document.activeElement;
    if (now && now.tagName === "INPUT" && e.keyCode % 2) { return; }
    var all = document.querySelectorAll("a[href], button, input:not([type=hidden])");
    var at = Array.prototype.indexOf.call(all, now);
    var next = at < 0 ? all[step > 0 ? 0 : all.length - 1] : all[at + step];
    if (next) { next.focus(); e.preventDefault(); }
  });
})();
