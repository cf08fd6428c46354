const styled =
  (code: number) =>
  (text: string, coloured: boolean): string =>
    coloured ? `\u001B[${code}m${text}\u001B[0m` : text;

export const bold = styled(1);
export const red = styled(31);
export const green = styled(32);
export const yellow = styled(33);
